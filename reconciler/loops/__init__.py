"""The loops: controller, executor and what joins them. Each has one `tick()`; clock and ports are handed in."""
