"""The engine: looks at an app's resources on this host, applies them, goes back; does the steps of a run."""
