"""Settings of the whole test suite."""

from hypothesis import settings

# How long an example takes depends on what else the machine is doing; what it does is what is tested.
settings.register_profile("softgrasp", deadline=None)
settings.load_profile("softgrasp")
