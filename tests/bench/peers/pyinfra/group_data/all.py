"""How every host is reached."""

from pathlib import Path

ssh_user = "root"
ssh_key = str(Path("~/.ssh/id_ed25519").expanduser())
ssh_known_hosts_file = str(Path("~/.ssh/known_hosts").expanduser())
ssh_strict_host_key_checking = "yes"
