"""What all tests share: nothing is judged by how fast this machine is."""

import hypothesis

hypothesis.settings.register_profile("evo", deadline=None)  # the first example may wait for the compiler
hypothesis.settings.load_profile("evo")
