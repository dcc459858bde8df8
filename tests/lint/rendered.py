"""The template with parameters, conditions and functions resolved, as CloudFormation does it."""

import json
import pathlib
import re

from cfnlint.decode import decode

ROOT = pathlib.Path(__file__).parents[2]
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "example",
}
# Parameters without a default.
REQUIRED = {"IpamId": "*"}
GONE = object()


def template(**parameters):
    source, problems = decode(str(ROOT / "template.yaml"))
    assert not problems
    defaults = {name: parameter["Default"] for name, parameter in source["Parameters"].items() if "Default" in parameter}
    values = defaults | REQUIRED | PSEUDO | parameters
    conditions = {name: Resolver(values, {}).resolve(text) for name, text in source["Conditions"].items()}
    resolver = Resolver(values, conditions)
    for section in ("Resources", "Outputs"):
        source[section] = {
            name: resolver.resolve(entry)
            for name, entry in source[section].items()
            if conditions.get(entry.get("Condition"), True)
        }
    return source


def state_machine():
    text = (ROOT / "statemachine" / "retire-asn.asl.json").read_text()
    values = {"Partition": "aws", "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:example"}
    return json.loads(re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], text))


class Resolver:
    def __init__(self, values, conditions):
        self.values = values
        self.conditions = conditions

    def resolve(self, node):
        if isinstance(node, list):
            return [item for item in map(self.resolve, node) if item is not GONE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(function, argument)] = node.items()
            if function in FUNCTIONS:
                return FUNCTIONS[function](self, argument)
        resolved = {str(name): self.resolve(value) for name, value in node.items()}
        return {name: value for name, value in resolved.items() if value is not GONE}

    def ref(self, name):
        return GONE if name == "AWS::NoValue" else self.values.get(name, f"<{name}>")

    def get_att(self, path):
        resource, attribute = path if isinstance(path, list) else path.split(".", 1)
        return ARNS[resource] if attribute == "Arn" else f"<{resource}.{attribute}>"

    def sub(self, text):
        return re.sub(r"\$\{([\w:]+)\}", lambda match: str(self.ref(match[1])), text)


FUNCTIONS = {
    "Ref": lambda self, name: self.ref(name),
    "Fn::GetAtt": lambda self, path: self.get_att(path),
    "Fn::Sub": lambda self, text: self.sub(text),
    "Fn::If": lambda self, branches: self.resolve(branches[1 if self.conditions[branches[0]] else 2]),
    "Fn::Equals": lambda self, pair: self.resolve(pair[0]) == self.resolve(pair[1]),
    "Fn::Not": lambda self, one: not self.resolve(one[0]),
}

# The ARNs of a deployed stack that policies refer to.
ARNS = {
    "EventRule": "arn:aws:events:us-east-1:123456789012:rule/example-EventRule",
    "FailedInvocations": "arn:aws:sqs:us-east-1:123456789012:example-FailedInvocations",
    "Function": "arn:aws:lambda:us-east-1:123456789012:function:example",
    "FunctionRole": "arn:aws:iam::123456789012:role/example-FunctionRole",
    "UndeliveredEvents": "arn:aws:sqs:us-east-1:123456789012:example-UndeliveredEvents",
    "WorkflowLog": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/example:*",
    "WorkflowRole": "arn:aws:iam::123456789012:role/example-WorkflowRole",
}
