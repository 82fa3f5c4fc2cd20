from . import listing
from . import reading
from . import about_models
from . import about_records
from . import custom
