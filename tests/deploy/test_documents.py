"""Runs the commands and snippets of the documentation, as they are written, against the deployed stack."""

import json
import re
import shutil
import subprocess
import textwrap
import uuid
import zipfile

import pytest

from conftest import ACCOUNT, REGION, ROOT, SOURCE
from processes import wait_until
from release import TEMPLATE_FILES, release_template
from world import IPAM, after, asn, association, cidr

DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
STACK = "deprovision-ipam-byoasn"
PENDING = {"Asn": "64500", "IpamId": IPAM, "State": "pending-deprovision"}
DEPROVISIONED = PENDING | {"State": "deprovisioned"}


def read(document):
    return (ROOT / document).read_text()


def block(document, language, marker):
    """The only code block of this language that contains the marker."""
    blocks = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", read(document), re.DOTALL | re.MULTILINE)
    [found] = [textwrap.dedent(code) for _, code in blocks if marker in code]
    return found


def table(document, heading):
    """The cells of the first table below a heading, without its head."""
    section = read(document).split(f"\n{heading}\n", 1)[1]
    rows = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE).group().splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip("|"))] for row in rows]


def names(cell):
    return re.findall(r"`(\w+)`", cell)


@pytest.fixture
def shell(local_aws, stack, tmp_path):
    """Runs commands in a folder with the sample events, for the deployed stack instead of the documented one."""
    (tmp_path / "events").symlink_to(ROOT / "events")

    def run(commands, **variables):
        # PyPI has version 1 of the AWS CLI. It sends the payload as it is, and has a fixed endpoint for SQS.
        commands = commands.replace("--cli-binary-format raw-in-base64-out", "")
        commands = commands.replace("aws sqs", "aws --endpoint-url $AWS_ENDPOINT_URL sqs")
        commands = re.sub(rf"{STACK}(?![-\w])", stack.name, commands)
        # Two executions cannot have the same name.
        commands = commands.replace("TICKET", uuid.uuid4().hex)
        environment = {**local_aws, **variables}
        done = subprocess.run(["bash", "-euc", commands], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def ended(client):
    """Waits for the end of an execution that a command started."""

    def wait(started):
        describe = client("stepfunctions").describe_execution
        arn = json.loads(started)["executionArn"]
        return wait_until(lambda: (found := describe(executionArn=arn))["status"] != "RUNNING" and found, "the end")

    return wait


def advertised(**members):
    return cidr("203.0.113.0/24", association(**members), state="advertised")


class TestReadme:
    def test_the_first_run(self, ec2, shell, stack, ended, tmp_path):
        ec2.set_world(asns=[asn(after=after(3))], cidrs=[advertised(after=after(1))])

        report = block("README.md", "sh", "DescribeOnly")
        shell(report)
        documented = json.loads(block("README.md", "json", '"DescribeOnly": true'))
        assert json.loads((tmp_path / "response.json").read_text()) == documented
        shell(report.replace("DescribeOnly", "DryRun"))
        assert json.loads((tmp_path / "response.json").read_text())["DryRun"] is True

        dry_run = ended(shell(block("README.md", "sh", "TICKET-dry")))
        assert json.loads(dry_run["output"]) == json.loads(block("docs/workflow.md", "json", '"AsnAssociations"'))

        refused = ended(shell(block("README.md", "sh", "--name retire-64500-TICKET "), WORKFLOW_ARN=stack.WorkflowArn))
        assert refused["error"] == "AsnStillAssociated"
        assert "203.0.113.0/24" in refused["cause"]
        assert ec2.changes() == []

    def test_the_workflow_removes_associations(self, ec2, shell, stack, ended):
        ec2.set_world(asns=[asn(after=after(1))], cidrs=[advertised(after=after(1))])

        execution = ended(shell(block("docs/workflow.md", "sh", "start-execution"), WORKFLOW_ARN=stack.WorkflowArn))

        assert json.loads(execution["output"]) == DEPROVISIONED


class TestReference:
    def test_three_ways_to_invoke_by_hand(self, ec2, shell, tmp_path):
        ec2.set_world(asns=[asn()])

        shown = shell(block("docs/reference.md", "sh", "--remote"))

        documented = json.loads(block("docs/reference.md", "json", '"DryRun": true'))
        assert shown.count('"DryRun"') == 2, "cargo lambda and sam print the response"
        assert json.loads((tmp_path / "response.json").read_text()) == documented
        assert [call["params"]["DryRun"] for call in ec2.calls()] == ["true"] * 3

    def test_an_event_on_the_bus(self, ec2, shell):
        ec2.set_world(asns=[asn()])

        shell(block("docs/reference.md", "sh", "put-events"))

        wait_until(ec2.actions, "the function's call")
        assert ec2.actions() == ["DeprovisionIpamByoasn"]

    def test_the_response_of_a_deprovision(self, ec2, invoke):
        ec2.set_world(asns=[asn()])

        response, error = invoke({"IpamId": IPAM, "Asn": "64500"})

        assert error is None
        assert response == json.loads(block("docs/reference.md", "json", '"Byoasn":'))

    def test_the_report(self, ec2, invoke):
        ec2.set_world(asns=[asn()], cidrs=[advertised()])

        response, error = invoke({"IpamId": IPAM, "Asn": "64500", "DescribeOnly": True})

        assert error is None
        assert response == json.loads(block("docs/reference.md", "json", '"DescribeOnly": true'))


class TestWorkflow:
    def test_the_diagram_shows_the_transitions_of_the_definition(self):
        states = json.loads((ROOT / "statemachine/retire-asn.asl.json").read_text())["States"]
        transitions = {
            (name, target)
            for name, state in states.items()
            for target in [state.get("Next"), state.get("Default"), *(choice["Next"] for choice in state.get("Choices", []))]
            if target
        }

        shown = re.findall(r"^ +(\w+) --> (\w+)", block("docs/workflow.md", "mermaid", "CheckInput"), re.MULTILINE)

        assert set(shown) == transitions
        for name in states:
            assert re.search(rf"\b{name}\b", read("docs/workflow.md")), name

    def test_an_event_starts_the_workflow(self, ec2, shell, stack, client, ended):
        ec2.set_world(asns=[asn(after=after(1))])
        events, states = client("events"), client("stepfunctions")

        shell(block("docs/workflow.md", "sh", "put-rule"), WORKFLOW_ARN=stack.WorkflowArn)
        try:
            request = json.dumps({"IpamId": IPAM, "Asn": "64500"})
            events.put_events(Entries=[{"Source": SOURCE, "DetailType": "Retire ASN", "Detail": request}])

            def execution():
                listed = states.list_executions(stateMachineArn=stack.WorkflowArn)["executions"]
                described = [states.describe_execution(executionArn=found["executionArn"]) for found in listed[:1]]
                return described and json.loads(described[0]["input"]) == json.loads(request) and described[0]

            started = wait_until(execution, "an execution with the detail as its input")
            assert json.loads(ended(json.dumps(started, default=str))["output"]) == DEPROVISIONED
        finally:
            events.remove_targets(Rule="retire-asn", Ids=["Workflow"])
            events.delete_rule(Name="retire-asn")

    @pytest.fixture
    def own_workflow(self, client, stack):
        """A state machine around the documented task."""
        task = json.loads(block("docs/workflow.md", "json", '"Retry"'))
        task["Arguments"]["FunctionName"] = stack.FunctionName
        definition = {
            "StartAt": "Deprovision",
            "States": {
                "Deprovision": task,
                "Done": {"Type": "Succeed"},
                "Disassociate first": {"Type": "Fail", "Error": "Caught"},
            },
        }
        states = client("stepfunctions")
        arn = states.create_state_machine(
            name="own", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/own"
        )["stateMachineArn"]
        yield lambda request: json.dumps(states.start_execution(stateMachineArn=arn, input=json.dumps(request)), default=str)
        states.delete_state_machine(stateMachineArn=arn)

    def test_the_task_retries_the_same_errors_as_the_workflow(self):
        task = json.loads(block("docs/workflow.md", "json", '"Retry"'))
        workflow = json.loads(read("statemachine/retire-asn.asl.json"))["States"]["Deprovision"]

        [errors, expected] = [[retrier["ErrorEquals"] for retrier in each["Retry"]] for each in (task, workflow)]
        assert errors == expected

    def test_the_task_retries_and_catches(self, ec2, own_workflow, ended):
        request = {"IpamId": IPAM, "Asn": "64500"}

        ec2.set_world(asns=[asn()])
        # Three throttles use up the function's own attempts. The task's Retry makes the fourth call.
        ec2.inject("DeprovisionIpamByoasn", *["throttle"] * 3)
        execution = ended(own_workflow(request))
        assert json.loads(execution["output"]) == PENDING
        assert len(ec2.actions()) == 4

        ec2.set_world(asns=[asn()], cidrs=[advertised()])
        assert ended(own_workflow(request))["error"] == "Caught"


class TestOperations:
    DOCUMENT = "docs/operations.md"

    @pytest.fixture
    def variables(self, stack):
        return {"WORKFLOW_ARN": stack.WorkflowArn, "FAILED_INVOCATIONS": stack.FailedInvocationsQueueUrl}

    def test_the_outputs_are_read(self, shell, stack):
        printed = shell(block(self.DOCUMENT, "sh", "output()") + 'echo "$WORKFLOW_ARN $FAILED_INVOCATIONS $UNDELIVERED_EVENTS"')

        assert printed.split() == [stack.WorkflowArn, stack.FailedInvocationsQueueUrl, stack.UndeliveredEventsQueueUrl]

    def test_the_report_after_an_alarm(self, ec2, shell, tmp_path):
        ec2.set_world(asns=[asn()])

        shell(block(self.DOCUMENT, "sh", "report.json"))

        assert json.loads((tmp_path / "report.json").read_text())["Byoasns"][0]["State"] == "provisioned"

    def test_a_failed_invocation_is_read_resent_and_deleted(self, ec2, shell, variables, stack, client, tmp_path):
        ec2.set_world(asns=[asn()])
        shell(block(self.DOCUMENT, "sh", "purge-queue"), **variables)
        client("lambda").invoke(FunctionName=stack.FunctionName, InvocationType="Event", Payload=json.dumps({"Asn": "64500"}))

        def messages():
            received = shell(block(self.DOCUMENT, "sh", "receive-message"), **variables)
            return received and json.loads(received)["Messages"]

        [message] = wait_until(messages, "the failed invocation")
        failed = json.loads(message["Body"])
        assert failed["responsePayload"]["errorType"] == "InvalidEvent"
        (tmp_path / "event.json").write_text(json.dumps(failed["requestPayload"] | {"IpamId": IPAM}))
        shell(block(self.DOCUMENT, "sh", "--invocation-type Event"))
        wait_until(ec2.actions, "the function's call")
        shell(block(self.DOCUMENT, "sh", "delete-message"), RECEIPT_HANDLE=message["ReceiptHandle"], **variables)

        queue = client("sqs").get_queue_attributes(QueueUrl=stack.FailedInvocationsQueueUrl, AttributeNames=["All"])["Attributes"]
        assert (queue["ApproximateNumberOfMessages"], queue["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")

    def test_the_function_is_stopped_and_started(self, shell, stack, client):
        [stop] = [command for row in table(self.DOCUMENT, "## Stop") for command in re.findall("`(aws lambda put.*?)`", row[1])]
        reserved = lambda: client("lambda").get_function_concurrency(FunctionName=stack.FunctionName)  # noqa: E731

        shell(stop)
        assert reserved()["ReservedConcurrentExecutions"] == 0
        shell(block(self.DOCUMENT, "sh", "delete-function-concurrency"))
        assert "ReservedConcurrentExecutions" not in reserved()

    def test_running_executions_are_listed(self, shell, variables):
        assert "executions" in json.loads(shell(block(self.DOCUMENT, "sh", "list-executions"), **variables))

    def test_associations_are_listed_in_every_region(self, ec2, shell):
        ec2.set_world(asns=[asn()], cidrs=[advertised()])

        # MiniStack lists the Regions, and the EC2 stand-in, which has one Region, the CIDRs.
        commands = block(self.DOCUMENT, "sh", "describe-regions").replace("regions ", f"regions --region-names {REGION} ")
        commands = commands.replace("aws ec2 describe-byoip", f"aws --endpoint-url {ec2.url} ec2 describe-byoip")

        assert shell(commands) == f"{REGION}\n64500\t203.0.113.0/24\tassociated\n"


class TestInstallation:
    DOCUMENT = "docs/install.md"

    def test_every_parameter_and_its_default_are_documented(self, client, stack):
        [described] = client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
        text = (ROOT / "template.yaml").read_text()
        section = re.search(r"^Parameters:\n(.*?)^\w", text, re.DOTALL | re.MULTILINE).group(1)
        blocks = re.split(r"^  (\w+):\n", section, flags=re.MULTILINE)[1:]
        defaults = {}
        for name, body in zip(blocks[::2], blocks[1::2], strict=True):
            default = re.search(r"^    Default: (.*)$", body, re.MULTILINE)
            defaults[name] = default and default.group(1).strip('"')

        documented = {row[0].strip("`"): row[2] for row in table(self.DOCUMENT, "## Parameters")}

        assert set(documented) == set(defaults) == {parameter["ParameterKey"] for parameter in described["Parameters"]}
        for name, default in defaults.items():
            expected = "none" if default is None else f"`{default}`" if default else "empty"
            assert documented[name].startswith(expected), name

    def test_every_output_is_documented(self, stack):
        documented = {name for row in table(self.DOCUMENT, "## Outputs") for name in names(row[0])}

        assert documented == set(vars(stack)) - {"name"}

    def test_the_outputs_are_shown(self, shell, stack):
        shown = shell(block(self.DOCUMENT, "sh", "OutputKey, OutputValue"))

        assert stack.WorkflowArn in shown

    @pytest.fixture
    def release(self, stack, tmp_path):
        """The files of a release, with the function that is deployed. Returns the zip."""
        [template] = re.findall(r"--template-file (\S+)", block(self.DOCUMENT, "sh", "--template-file"))
        packed = tmp_path / template.replace(".yaml", ".zip")
        text = release_template((ROOT / "template.yaml").read_text(), "x86_64", packed.name)
        (tmp_path / template).write_text(text)
        for name in TEMPLATE_FILES:
            shutil.copy(ROOT / name, tmp_path)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(ROOT / ".aws-sam/build/Function/bootstrap", "bootstrap")
        return packed

    def test_the_stack_is_deployed_from_the_release(self, release, shell, client, sam):
        name = f"zip-{uuid.uuid4().hex[:8]}"
        unattended = f"--resolve-s3 --no-confirm-changeset --parameter-overrides IpamId={IPAM}"
        command = block(self.DOCUMENT, "sh", "--template-file").replace("--guided", unattended)
        shell(command.replace(f"--stack-name {STACK}", f"--stack-name {name}"))
        try:
            function = client("lambda").get_function_configuration(FunctionName=name)
            assert function["CodeSize"] == release.stat().st_size
        finally:
            sam("delete", "--stack-name", name, "--no-prompts", "--region", REGION)

    def test_the_function_is_created_from_the_release(self, ec2, release, shell, client):
        ec2.set_world(asns=[asn()])
        name = f"alone-{uuid.uuid4().hex[:8]}"
        shell(block(self.DOCUMENT, "sh", "create-function").replace(f"-name {STACK}", f"-name {name}"))
        try:
            awslambda = client("lambda")
            wait_until(lambda: awslambda.get_function_configuration(FunctionName=name)["State"] == "Active", "the function")
            response = awslambda.invoke(FunctionName=name, Payload=json.dumps({"IpamId": IPAM, "Asn": "64500"}))
            assert json.load(response["Payload"]) == {"Byoasn": PENDING}
            config = awslambda.get_function_event_invoke_config(FunctionName=name)
            assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (2, 3600)
        finally:
            client("lambda").delete_function(FunctionName=name)

    def test_the_application_is_packaged(self, sam, shell, client, stack):
        client("s3").create_bucket(Bucket="serverless-repository")
        build, package, publish = block(self.DOCUMENT, "sh", "sam publish").splitlines()
        assert (build, publish.split()[:2]) == ("sam build", ["sam", "publish"])
        packaged = ROOT / ".aws-sam" / "packaged.yaml"

        # `stack` has built it already. MiniStack has no application repository to publish to.
        sam(*package.replace("BUCKET", "serverless-repository").replace("packaged.yaml", str(packaged)).split()[1:])

        assert "s3://serverless-repository/" in packaged.read_text()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files_and_headings(document):
    def anchors(path):
        headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL), re.MULTILINE)
        return {re.sub(r"[^\w -]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading)).lower().replace(" ", "-") for heading in headings}

    text = re.sub(r"```.*?```", "", read(document), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        # GitHub resolves these beside the repository's files.
        if re.match(r"https://|(\.\./)+(releases|issues|compare)", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (ROOT / document).parent / path if path else ROOT / document
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target
