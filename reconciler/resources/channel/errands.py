"""Single things done on a host for someone who installs an agent there: run a program, read, write, link, list.

Asked over SSH by `transport.machine`, answered through `remote`. What fleets declare goes through the engine instead.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, Callable, Dict, Mapping

from reconciler.resources.machine.places import make_parents
from reconciler.resources.machine.system import Command, System

Message = Mapping[str, Any]


def errand(system: System, message: Message) -> Message:
    """Do one thing and tell how it went. Bytes travel in base64.

    Raises:
        Failure: it could not be done; or OSError, such as for a disk that is full.
    """
    return ERRANDS[message["do"]](system, message)


def _run(system: System, message: Message) -> Message:
    """A program that does not start counts as one that ended with 127, as in a shell."""
    stdin = b64decode(message["stdin"]) if message["stdin"] else None
    argv, env, seconds = message["argv"], message["env"], message["seconds"]
    if not system.has_program(argv[0]):
        return {"code": 127, "stdout": "", "stderr": f"there is no program {argv[0]}", "timed_out": False}
    ended = system.run(Command(tuple(argv), env=env, stdin=stdin, timeout_seconds=seconds))
    return {"code": ended.code, "stdout": ended.stdout, "stderr": ended.stderr, "timed_out": ended.timed_out}


def _read(system: System, message: Message) -> Message:
    found = system.read(message["path"])
    return {"content": None if found is None else b64encode(found[1]).decode("ascii")}


def _write(system: System, message: Message) -> Message:
    make_parents(system, message["path"])
    system.write_atomic(message["path"], b64decode(message["content"]), system.own(message["mode"]))
    return {}


def _link(system: System, message: Message) -> Message:
    make_parents(system, message["path"])
    system.symlink(message["path"], message["target"])
    return {}


def _list(system: System, message: Message) -> Message:
    return {"names": list(system.listdir(message["path"])) if system.look(message["path"]) else []}


ERRANDS: Dict[str, Callable[[System, Message], Message]] = {
    "run": _run,
    "read": _read,
    "write": _write,
    "link": _link,
    "list": _list,
}
