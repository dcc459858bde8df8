"""Runs the state machine with JSONata's reference implementation, and with functions in place of the function and EC2.

It has what this state machine uses: Choice, Fail, Map, Pass, Succeed, Task and Wait, with Assign, Catch, Output and Retry.
"""

import json
import subprocess

from rendered import ROOT

SCRIPT = ROOT / "dev" / "scripts" / "evaluate-jsonata.mjs"


class StatesError(Exception):
    def __init__(self, error, cause=""):
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class Jsonata:
    """A running process of the reference implementation."""

    def __init__(self):
        self.process = subprocess.Popen(["node", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.evaluated = set()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)

    def evaluate(self, text, variables):
        self.evaluated.add(text)
        expression = text.removeprefix("{%").removesuffix("%}").strip()
        self.process.stdin.write(json.dumps({"expression": expression, "variables": variables}) + "\n")
        self.process.stdin.flush()
        result = json.loads(self.process.stdout.readline())
        if "value" not in result:
            raise StatesError("States.QueryEvaluationError", f"{result.get('error', 'undefined')} in {expression}")
        return result["value"]

    def fill(self, template, variables):
        """The template with each expression replaced by its value."""
        if isinstance(template, dict):
            return {name: self.fill(value, variables) for name, value in template.items()}
        if isinstance(template, list):
            return [self.fill(value, variables) for value in template]
        return self.evaluate(template, variables) if is_expression(template) else template


def is_expression(value):
    return isinstance(value, str) and value.startswith("{%")


class Execution:
    """One execution: the states that it entered, the seconds that it waited, and its end."""

    def __init__(self, jsonata, definition, given, call):
        self.jsonata = jsonata
        self.call = call
        self.entered = []
        self.waited = 0
        self.status, self.output, self.error, self.cause = "SUCCEEDED", None, None, None
        try:
            self.output = self.run(definition, given, {})
        except StatesError as problem:
            self.status, self.error, self.cause = "FAILED", problem.error, problem.cause

    def run(self, definition, given, variables):
        name = definition["StartAt"]
        while name:
            self.entered.append(name)
            state = definition["States"][name]
            given, name = getattr(self, f"run_{state['Type'].lower()}")(state, given, variables)
        return given

    def leave(self, fields, variables, default, **states):
        """Assigns, and returns the output."""
        scope = variables | {"states": states}
        output = self.jsonata.fill(fields["Output"], scope) if "Output" in fields else default
        variables |= self.jsonata.fill(fields.get("Assign", {}), scope)
        return output

    def run_choice(self, state, given, variables):
        for rule in state["Choices"]:
            matches = self.jsonata.evaluate(rule["Condition"], variables | {"states": {"input": given}})
            assert isinstance(matches, bool), rule
            if matches:
                return self.leave(rule, variables, given, input=given), rule["Next"]
        return self.leave(state, variables, given, input=given), state["Default"]

    def run_wait(self, state, given, variables):
        self.waited += self.jsonata.fill(state["Seconds"], variables | {"states": {"input": given}})
        return given, state["Next"]

    def run_succeed(self, state, given, variables):
        return self.leave(state, variables, given, input=given), None

    def run_fail(self, state, given, variables):
        raise StatesError(state["Error"], self.jsonata.fill(state["Cause"], variables | {"states": {"input": given}}))

    def run_pass(self, state, given, variables):
        return self.leave(state, variables, given, input=given), state.get("Next")

    def run_map(self, state, given, variables):
        items = self.jsonata.fill(state["Items"], variables | {"states": {"input": given}})
        assert isinstance(items, list)
        result = [self.run(state["ItemProcessor"], item, dict(variables)) for item in items]
        return self.leave(state, variables, result, input=given, result=result), state["Next"]

    def run_task(self, state, given, variables):
        [retrier] = state["Retry"]
        try:
            for attempt in range(retrier["MaxAttempts"] + 1):
                try:
                    arguments = self.jsonata.fill(state["Arguments"], variables | {"states": {"input": given}})
                    result = self.call(state["Resource"], arguments)
                    return self.leave(state, variables, result, input=given, result=result), state.get("Next")
                except StatesError as problem:
                    if attempt == retrier["MaxAttempts"] or not covers(retrier["ErrorEquals"], problem.error):
                        raise
        except StatesError as problem:
            for catcher in state.get("Catch", []):
                if covers(catcher["ErrorEquals"], problem.error):
                    error = {"Error": problem.error, "Cause": problem.cause}
                    return self.leave(catcher, variables, error, input=given, errorOutput=error), catcher["Next"]
            raise


def covers(names, error):
    """States.TaskFailed stands for every error but States.Timeout, States.ALL for every error but States.DataLimitExceeded."""
    return (
        error in names
        or ("States.TaskFailed" in names and error != "States.Timeout")
        or ("States.ALL" in names and error != "States.DataLimitExceeded")
    )
