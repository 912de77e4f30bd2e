"""Values and templates in, rendered resources out: Jinja in a sandbox, pure and bounded.

Called by the planner, executors and everything that evaluates an expression. It touches no file, network or host.
"""

from reconciler.rendering.check import check_template
from reconciler.rendering.compiled import closure, is_template
from reconciler.rendering.config_values import ConfigRenderer
from reconciler.rendering.expressions import Expression, parse_tree
from reconciler.rendering.faults import Fault, RenderFailed
from reconciler.rendering.outline import included
from reconciler.rendering.reads import pick
from reconciler.rendering.rendered import Form, Rendered, RenderedResource
from reconciler.rendering.renderer import Memory as RenderMemory
from reconciler.rendering.renderer import Renderer
from reconciler.rendering.secret import declared, read_whole

__all__ = [
    "ConfigRenderer",
    "Expression",
    "Fault",
    "Form",
    "RenderFailed",
    "RenderMemory",
    "Rendered",
    "RenderedResource",
    "Renderer",
    "check_template",
    "closure",
    "declared",
    "included",
    "is_template",
    "parse_tree",
    "pick",
    "read_whole",
]
