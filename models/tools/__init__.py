from . import aggregate
from . import context
from . import create
from . import delete
from . import describe
from . import models
from . import search
from . import update
