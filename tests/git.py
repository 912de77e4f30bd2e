"""git for tests: who commits, so that no configuration of the machine is needed."""

IDENTITY = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "init.defaultBranch=main")
