"""Pictures become films: encoding, captions and filmstrips."""
