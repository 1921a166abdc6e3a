"""The SAM template of a release: template.yaml, with the packages as code, so that nothing is built."""

from __future__ import annotations

import re

from photos_dev.problem import Problem

# A function of template.yaml up to its code.
FUNCTION = re.compile(
    r"^    Metadata:\n      BuildMethod: rust-cargolambda\n      BuildProperties:\n        Binary: (?P<binary>\S+)\n"
    r"(?P<between>(?:(?!  \w).*\n)*?)      CodeUri: \.\n",
    re.M,
)
ARCHITECTURES = re.compile(r"^    Default: x86_64\n    AllowedValues: \[x86_64, arm64\]\n", re.M)


def release_template(template: str, architecture: str) -> str:
    """The template whose functions are the zips of an architecture beside it. It can be deployed for no other."""
    functions = template.count("Type: AWS::Serverless::Function\n")
    text, built = FUNCTION.subn(
        lambda match: f"{match['between']}      CodeUri: {package_name(match['binary'], architecture)}\n", template
    )
    if built != functions or functions == 0:
        raise Problem(f"template.yaml has {functions} functions, of which {built} are built here by `Binary:`")
    only = f"    Default: {architecture}\n    AllowedValues: [{architecture}]\n"
    text, changes = ARCHITECTURES.subn(only, text)
    if changes != 1:
        raise Problem(f"template.yaml has {changes} parameters for the architecture, not one")
    return text


def binaries(template: str) -> list[str]:
    """The binaries of the functions, by which their packages are named."""
    return [match["binary"] for match in FUNCTION.finditer(template)]


def package_name(binary: str, architecture: str) -> str:
    return f"{binary}-{architecture}.zip"


def template_name(architecture: str) -> str:
    return "template.yaml" if architecture == "x86_64" else f"template-{architecture}.yaml"
