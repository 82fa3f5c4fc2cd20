from . import given, registry, saved_filter, server_action, source_hooks, template
