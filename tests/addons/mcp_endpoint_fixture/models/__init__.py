from . import conformance_resources
from . import conformance_tools
from . import declared_tools
from . import plain_tools
