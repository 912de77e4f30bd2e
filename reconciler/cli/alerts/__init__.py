"""Look after alerts: what fires, who takes care of it, and whether rules fire when they should."""

ACTIONS = {
    "list": "list the alerts that fire or are about to (the default)",
    "ack": "take care of alerts until they resolve",
    "test": "try rules on series written in a file",
    "metrics": "list the metrics that rules can speak of",
}
