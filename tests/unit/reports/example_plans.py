"""Plans that the tests of the reports share."""

from reconciler.model.observed import Drift
from reconciler.model.plan import Action, AppPlan, Change, Plan

SITE_DIFF = (
    "mode: 0600 -> 0644",
    "@@ -1,4 +1,4 @@",
    " server {",
    "-    listen 80;",
    "+    listen 8080;",
    "     root /var/www/html;",
    " }",
)

SITE = Change("file:/etc/nginx/sites-available/webapp.conf", Action.CHANGE, "a1", "a2", diff=SITE_DIFF)
OPTIONS = Change("file:/etc/mysql/webapp.cnf", Action.CHANGE, "b1", "b2", reason="secret webapp/mysql_pass changed")
DEFAULT_SITE = Change("link:/etc/nginx/sites-enabled/default", Action.DELETE, "c1")
RELOAD = "reload nginx (site changes)"


def webapp(host: str, *changes: Change, **rest: object) -> AppPlan:
    return AppPlan(host, "webapp", changes, **rest)  # type: ignore[arg-type]


def fleet_plan() -> Plan:
    """A bit of everything, over a few hosts."""
    return Plan(
        revision="1a2b3c4d" * 5,
        hosts=("db-1", "web-1", "web-2", "web-3"),
        apps=(
            AppPlan(
                "db-1",
                "mariadb",
                (Change("file:/etc/mysql/my.cnf", Action.UNKNOWN, reason="reads a fact that is not known yet"),),
                held="maintenance until 2026-11-23 18:00Z: disk swap",
            ),
            webapp("web-1", SITE, OPTIONS, DEFAULT_SITE, follow_ups=(RELOAD,)),
            webapp("web-2", SITE, DEFAULT_SITE, follow_ups=(RELOAD,)),
            webapp(
                "web-3",
                Change("package:nginx-light", Action.ADD, after="d1"),
                SITE,
                DEFAULT_SITE,
                follow_ups=(RELOAD,),
                left_behind=("package:apache2 stays (prune: all removes it)",),
                drift=(Drift("file:/etc/nginx/nginx.conf", "change", ("mode: 0600 -> 0644",)),),
            ),
        ),
        resources={"mariadb": 4, "webapp": 24},
        forgotten=("old-1", "old-2"),
    )


def quiet_plan() -> Plan:
    """Nothing to do."""
    return Plan("1a2b3c4", tuple(f"web-{number}" for number in range(1, 13)), ())
