"""Look after the keys that hosts obey: the controller's, which signs what should be, and operators', for runs."""

ACTIONS = {
    "list": "show the keys in force (the default)",
    "make": "make a key of your own in a file",
    "add": "let hosts trust one more key",
    "remove": "let hosts trust a key no more",
    "rotate": "replace the controller's key by a new one",
}
