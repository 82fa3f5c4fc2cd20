"""Test tools of the conformance suite that ask: the human, the client's model, or for the client's folders."""

from odoo.addons.mcp_endpoint.services.questions import Question, Roots, Sampling

from .conformance_definition import TestTool, schema, told

DEFAULTS = {
    "name": {"type": "string", "description": "Name.", "default": "John Doe"},
    "age": {"type": "integer", "description": "Age.", "default": 30},
    "score": {"type": "number", "description": "Score.", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "description": "Verified.", "default": True},
}
OPTIONS = ["option1", "option2", "option3"]
TITLED = [{"const": f"value{number}", "title": f"Choice {number}"} for number in (1, 2, 3)]
ENUMS = {
    "untitledSingle": {"type": "string", "enum": OPTIONS},
    "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {
        "type": "string",
        "enum": ["opt1", "opt2", "opt3"],
        "enumNames": ["Option One", "Option Two", "Option Three"],
    },
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": OPTIONS}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}


def form(message, properties, required=(), **more):
    """Return a question for a form with these fields."""
    fields = {"type": "object", "properties": properties, "required": list(required)}
    return Question(message, fields, **more)


def ask_name(**more):
    """Return the question for a name."""
    return form("What is your name?", {"name": {"type": "string"}}, ["name"], **more)


def sampling(prompt, tokens=100):
    """Return the request that the client's model answer a prompt."""
    message = {"role": "user", "content": {"type": "text", "text": prompt}}
    return Sampling({"messages": [message], "maxTokens": tokens})


def _ask_user(call):
    properties = {name: {"type": "string", "description": name} for name in ("username", "email")}
    answer = call.need("user", form(call.arguments["message"], properties, properties))
    return told(f"User response: {answer}")


def _ask_defaults(call):
    return told(f"Elicitation completed: content={call.need('form', form('Please check.', DEFAULTS))}")


def _ask_enums(call):
    return told(f"Elicitation completed: content={call.need('form', form('Please choose.', ENUMS))}")


def _ask_model(call):
    answer = call.need("answer", sampling(call.arguments["prompt"]))
    return told(f"LLM response: {answer['content']}")


def _need_sampling(call):
    return told(f"{call.need('answer', sampling('Say hello.'))}")


def _greet(call):
    return told(f"Hello, {call.need('user_name', ask_name())['name']}!")


def _capital(call):
    return told(f"{call.need('capital_question', sampling('What is the capital of France?'))['content']}")


def _roots(call):
    return told(f"{call.need('client_roots', Roots())['roots']}")


def _confirm_sealed(call):
    call.need("confirm", form("Please confirm", {"ok": {"type": "boolean"}}, ["ok"], sealed=True))
    return told("state-ok")


def _several(call):
    greeting = sampling("Generate a greeting", 50)
    asked = {"user_name": ask_name(sealed=True), "greeting": greeting, "client_roots": Roots()}
    return told(f"{call.need_all(asked)}")


def _rounds(call):
    name = call.need("step1", form("Step 1: What is your name?", {"name": {"type": "string"}}, ["name"], sealed=True))
    colour = form("Step 2: What is your favorite color?", {"color": {"type": "string"}}, ["color"], sealed=True)
    return told(f"{name['name']} likes {call.need('step2', colour)['color']}.")


def _fitting(call):
    """Ask in a way that this client has."""
    question = sampling("Say hello.")
    return told(f"{call.need('answer', question)}") if call.can_ask("answer", question) else _greet(call)


TOOLS = {
    "test_elicitation": TestTool(_ask_user, schema(message="string")),
    "test_elicitation_sep1034_defaults": TestTool(_ask_defaults),
    "test_elicitation_sep1330_enums": TestTool(_ask_enums),
    "test_sampling": TestTool(_ask_model, schema(prompt="string")),
    "test_missing_capability": TestTool(_need_sampling),
    "test_streaming_elicitation": TestTool(_greet),
    "test_input_required_result_elicitation": TestTool(_greet),
    "test_input_required_result_sampling": TestTool(_capital),
    "test_input_required_result_list_roots": TestTool(_roots),
    "test_input_required_result_request_state": TestTool(_confirm_sealed),
    "test_input_required_result_tampered_state": TestTool(_confirm_sealed),
    "test_input_required_result_multiple_inputs": TestTool(_several),
    "test_input_required_result_multi_round": TestTool(_rounds),
    "test_input_required_result_capabilities": TestTool(_fitting),
}
