"""The Terraform and CDK snippets of docs/install.md."""

import json
import re
import subprocess

import hcl2
import pytest
from package import PACKAGE
from release import DEFINITION, version

from rendered import ROOT, template

NODE_MODULES = ROOT / "dev" / "node_modules"
ZIP = f"dist/{PACKAGE}-{version(ROOT)}-x86_64.zip"
IPAM = "ipam-0123456789abcdef0"


def snippet(language):
    [code] = re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / "docs/install.md").read_text(), re.DOTALL | re.MULTILINE)
    return code


def actions(policy):
    """All actions that the statements of a policy allow."""
    listed = [statement["Action"] for statement in policy["PolicyDocument"]["Statement"]]
    return {action for each in listed for action in ([each] if isinstance(each, str) else each)}


def resources_of(resources, kind):
    return [resource["Properties"] for resource in resources.values() if resource["Type"] == kind]


@pytest.fixture(scope="module")
def terraform():
    return hcl2.loads(snippet("hcl"))


def test_terraform_snippet_parses_and_names_the_current_zip(terraform):
    kinds = {kind for resource in terraform["resource"] for kind in resource}

    assert {"aws_lambda_function", "aws_sfn_state_machine", "aws_iam_role_policy", "aws_sqs_queue"} <= kinds
    assert ZIP in snippet("hcl")


def test_terraform_references_only_what_the_snippet_declares(terraform):
    declared = {f"{kind}.{name}" for resource in terraform["resource"] for kind, named in resource.items() for name in named}
    referenced = set(re.findall(r"\b(aws_\w+\.\w+)\b", re.sub(r"data\.\w+\.\w+", "", snippet("hcl"))))
    local = {name for block in terraform["locals"] for name in block}

    assert referenced <= declared
    assert set(re.findall(r"\blocal\.(\w+)", snippet("hcl"))) <= local


def test_terraform_substitutes_all_placeholders_of_the_definition():
    definition = (ROOT / DEFINITION).read_text()
    call = re.search(r"templatefile\(\"(.+?)\", \{(.*?)\}\)", snippet("hcl"), re.DOTALL)

    assert call[1] == DEFINITION
    assert set(re.findall(r"\$\{(\w+)\}", definition)) == set(re.findall(r"(\w+)\s+=", call[2]))
    assert "%{" not in definition, "the start of a directive in Terraform's templates"


def test_terraform_has_no_permission_to_disassociate_by_default(terraform):
    policies = [policy for resource in terraform["resource"] for policy in resource.get("aws_iam_role_policy", {}).values()]
    [count] = [policy["count"] for policy in policies if "ec2:DisassociateIpamByoasn" in policy["policy"][0]]

    assert count == ["${local.workflow_may_disassociate ? 1 : 0}"]
    assert terraform["locals"][0]["workflow_may_disassociate"] == [False]


def synthesize(folder, stack):
    """The resources of the CloudFormation template of a CDK stack, after a check of its types."""
    (folder / "node_modules").symlink_to(NODE_MODULES)
    (folder / "stack.ts").write_text(stack)
    (folder / "app.ts").write_text(
        'import * as cdk from "aws-cdk-lib";\n'
        'import { RetireAsnStack } from "./stack";\n'
        'const app = new cdk.App({ outdir: "out" });\n'
        'new RetireAsnStack(app, "RetireAsn", { env: { account: "123456789012", region: "us-east-1" } });\n'
        "app.synth();\n"
    )
    (folder / "dist").mkdir()
    (folder / ZIP).write_bytes(b"PK")
    (folder / "statemachine").symlink_to(ROOT / "statemachine")
    compiler = ["node_modules/.bin/tsc", "--strict", "--skipLibCheck", "--module", "commonjs", "--target", "es2022", "app.ts"]
    for command in (compiler, ["node", "app.js"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "out/RetireAsn.template.json").read_text())["Resources"]


@pytest.fixture(scope="module")
def cdk(tmp_path_factory):
    return synthesize(tmp_path_factory.mktemp("cdk"), snippet("ts"))


def test_cdk_snippet_has_the_function_of_the_template(cdk):
    [expected] = resources_of(template(IpamId=IPAM)["Resources"], "AWS::Serverless::Function")
    [function] = [each for each in resources_of(cdk, "AWS::Lambda::Function") if each["Runtime"] == "provided.al2023"]

    assert ZIP in snippet("ts")
    assert function["Handler"] == "bootstrap"
    assert (function["MemorySize"], function["Timeout"]) == (expected["MemorySize"], expected["Timeout"])


def ec2_actions(resources):
    allowed = {action for policy in resources_of(resources, "AWS::IAM::Policy") for action in actions(policy)}
    return {action for action in allowed if action.startswith("ec2:")}


def test_cdk_snippet_allows_only_what_the_stack_needs(cdk, tmp_path):
    needed = {"ec2:DeprovisionIpamByoasn", "ec2:DescribeByoipCidrs", "ec2:DescribeIpamByoasn"}
    with_disassociation = snippet("ts").replace("workflowMayDisassociate = false", "workflowMayDisassociate = true")

    assert ec2_actions(cdk) == needed
    assert ec2_actions(synthesize(tmp_path, with_disassociation)) == needed | {"ec2:DisassociateIpamByoasn"}
