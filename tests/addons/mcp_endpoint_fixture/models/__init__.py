from . import conformance_resources, conformance_tools, declared_tools, plain_tools
