"""Look after runs of jobs, and see all other work of the hosts."""

ACTIONS = {
    "list": "list work that is waiting, under way or done (the default)",
    "logs": "print what a run printed, and follow it",
    "cancel": "cancel a run, also one that is under way",
    "retry": "run again what failed, was cancelled or is dead",
}
