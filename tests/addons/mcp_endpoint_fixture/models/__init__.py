from . import declared_tools
from . import plain_tools
