"""Writes what the CDK stack and the Terraform module take from the template: `make generate`.

Their parameters and outputs are those of the template, with its defaults, limits and descriptions. tests/template
compares the files with what this would write.
"""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

from photos_dev.dist.plain import CODE_BUCKET_NAME, code_keys, plain_template
from photos_dev.paths import ROOT, TEMPLATE
from photos_dev.problem import exit_with

COMMAND = "make generate"
# The longest line that a description is folded to.
WIDTH = 110
Parameter = dict[str, Any]


def main() -> int:
    for path, text in files(plain_template(TEMPLATE)).items():
        (ROOT / path).write_text(text)
    return 0


def files(template: dict[str, Any]) -> dict[Path, str]:
    """The text of each generated file, by its path in this checkout."""
    code = {CODE_BUCKET_NAME, *code_keys(template).values()}
    parameters = {name: one for name, one in template["Parameters"].items() if name not in code}
    return {
        Path("clients/cdk/src/parameters.ts"): typescript(parameters),
        Path("clients/terraform/variables.tf"): terraform_variables(parameters),
        Path("clients/terraform/parameters.tf"): terraform_parameters(parameters),
        Path("clients/terraform/outputs.tf"): terraform_outputs(template["Outputs"]),
    }


def kind(parameter: Parameter) -> str:
    """What the parameter is in a language that has more than texts."""
    if parameter["Type"] == "CommaDelimitedList":
        return "list"
    if parameter["Type"] == "Number":
        return "number"
    return "boolean" if parameter.get("AllowedValues") == ["true", "false"] else "string"


def default(parameter: Parameter) -> Any:
    match kind(parameter):
        case "list":
            return parameter["Default"].split(",")
        case "boolean":
            return parameter["Default"] == "true"
    return parameter["Default"]


def sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def limits(parameter: Parameter) -> str:
    """What the parameter may be, for people; empty where its type says it all."""
    least, most = parameter.get("MinValue"), parameter.get("MaxValue")
    if least is not None and most is not None:
        return f"from {least} to {most}"
    if least is not None:
        return f"at least {least}"
    return parameter.get("ConstraintDescription", "")


# TypeScript


def typescript(parameters: dict[str, Parameter]) -> str:
    properties = "\n".join(typescript_property(name, one) for name, one in parameters.items())
    names = "".join(f"  '{name}',\n" for name in parameters)
    return (
        f"// Written by `{COMMAND}` from the template.\n\n"
        f"/** The template's parameters. */\nexport interface TemplateParameters {{\n{properties}}}\n\n"
        f"/** Their names in the template. */\nexport const PARAMETERS = [\n{names}] as const;\n"
    )


def typescript_property(name: str, parameter: Parameter) -> str:
    lines = textwrap.wrap(parameter["Description"], WIDTH)
    if limits(parameter):
        lines += ["", *textwrap.wrap(sentence(limits(parameter)), WIDTH)]
    lines += ["", f"@default {typescript_value(default(parameter))}"]
    comment = "\n".join(f"   * {line}".rstrip() for line in lines)
    return f"  /**\n{comment}\n   */\n  readonly {name[0].lower()}{name[1:]}?: {typescript_type(parameter)};\n"


def typescript_type(parameter: Parameter) -> str:
    named = kind(parameter)
    if named == "list":
        return "string[]"
    if named != "boolean" and "AllowedValues" in parameter:
        return " | ".join(typescript_value(value) for value in parameter["AllowedValues"])
    return named


def typescript_value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(typescript_value, value))}]"
    if isinstance(value, str):
        return "'" + json.dumps(value)[1:-1].replace("'", "\\'").replace('\\"', '"') + "'"
    return json.dumps(value)


# Terraform, as `terraform fmt` would write it


def terraform_variables(parameters: dict[str, Parameter]) -> str:
    blocks = [terraform_variable(name, one) for name, one in parameters.items()]
    return "\n".join([f"# Written by `{COMMAND}` from the template.\n", *blocks])


def terraform_variable(name: str, parameter: Parameter) -> str:
    types = {"list": "list(string)", "boolean": "bool"}
    named = kind(parameter)
    rows = {
        "description": terraform_value(parameter["Description"]),
        "type": types.get(named, named),
        "default": terraform_value(default(parameter)),
        "nullable": "false",
    }
    validation = terraform_validation(snake_case(name), parameter)
    return f'variable "{snake_case(name)}" {{\n{aligned(rows, 2)}{validation}}}\n'


def terraform_validation(variable: str, parameter: Parameter) -> str:
    """The template's limits, so that a plan knows them before CloudFormation does."""
    value, conditions = f"var.{variable}", []
    allowed = parameter.get("AllowedValues")
    if allowed and kind(parameter) != "boolean":
        conditions.append(f"contains({terraform_value(allowed)}, {value})")
    if "MinValue" in parameter:
        conditions.append(f"{value} >= {parameter['MinValue']}")
    if "MaxValue" in parameter:
        conditions.append(f"{value} <= {parameter['MaxValue']}")
    if "MaxLength" in parameter:
        conditions.append(f"length({value}) <= {parameter['MaxLength']}")
    if "AllowedPattern" in parameter:
        pattern = terraform_value(f"^(?:{parameter['AllowedPattern']})$")
        conditions.append(f"can(regex({pattern}, {value}))")
    if not conditions:
        return ""
    message = limits(parameter) or "one of " + ", ".join(map(str, allowed))
    rows = {
        "condition": " && ".join(conditions),
        "error_message": terraform_value(f"The value must be {message}."),
    }
    return f"\n  validation {{\n{aligned(rows, 4)}  }}\n"


def terraform_parameters(parameters: dict[str, Parameter]) -> str:
    values = {}
    for name, parameter in parameters.items():
        value = f"var.{snake_case(name)}"
        values[name] = f'join(",", {value})' if kind(parameter) == "list" else value
    return (
        f"# Written by `{COMMAND}` from the template.\n\n"
        f"locals {{\n  parameters = {{\n{aligned(values, 4)}  }}\n}}\n"
    )


def terraform_outputs(outputs: dict[str, Any]) -> str:
    blocks = [f"# Written by `{COMMAND}` from the template.\n"]
    for name, output in outputs.items():
        # An output with a condition is not there where it does not hold.
        value = f'lookup(aws_cloudformation_stack.photos.outputs, "{name}", null)'
        rows = {"description": terraform_value(output["Description"]), "value": value}
        blocks.append(f'output "{snake_case(name)}" {{\n{aligned(rows, 2)}}}\n')
    return "\n".join(blocks)


def aligned(rows: dict[str, str], indent: int) -> str:
    """Arguments on lines of their own, the signs of equality below each other."""
    widest = max(map(len, rows))
    return "".join(f"{' ' * indent}{name:{widest}} = {value}\n" for name, value in rows.items())


def terraform_value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(terraform_value, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return json.dumps(value)


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


if __name__ == "__main__":
    exit_with(main)
