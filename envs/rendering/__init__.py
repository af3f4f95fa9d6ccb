"""Pictures of a model's states, by a compiled ray caster that needs neither GL nor a display."""
