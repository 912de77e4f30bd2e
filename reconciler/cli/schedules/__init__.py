"""See when schedules run and what became of their last runs; keep one from starting anything for a while."""

ACTIONS = {
    "list": "list schedules with their last and next runs, and why one was skipped (the default)",
    "next": "print the times at which a schedule is due next",
    "suspend": "keep a schedule from starting runs, or let it again",
}
