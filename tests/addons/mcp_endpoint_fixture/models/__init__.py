from . import conformance_resources, conformance_tools, declared_tools, loopback_egress, plain_tools
