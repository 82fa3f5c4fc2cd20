from . import about_files, about_models, about_records, custom, listing, reading
