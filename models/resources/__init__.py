# In this order: what extends comes after what it extends, and kinds are listed as they are added here.
from . import listing
from . import reading
from . import about_models
from . import about_records
from . import about_files
from . import custom
