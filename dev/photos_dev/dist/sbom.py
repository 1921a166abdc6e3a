"""Lists what is linked into the functions as a software bill of materials, in CycloneDX's JSON: `make dist`.

cargo-cyclonedx would take minutes to be built. It writes a file into each folder of the workspace, with this machine's
paths in it, counts the features that only tools ask for, and does not know the libraries in C.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timezone

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from photos_dev.dist.crates import Crate, Library, linked_crates, standard_library

PACKAGE = "s3-photo-thumbnailer"


def sbom(architecture: str, time: int) -> str:
    """The bill of the functions of an architecture; the same text for the same crates and time."""
    crates = linked_crates(architecture)
    components = {(crate.name, crate.version): component_of(crate) for crate in crates}
    bom = Bom(components=[component for (name, _), component in components.items() if name != PACKAGE])
    bom.components.add(library_component(standard_library()))
    (bom.metadata.component,) = (component for (name, _), component in components.items() if name == PACKAGE)
    bom.metadata.timestamp = datetime.fromtimestamp(time, timezone.utc)
    for crate in crates:
        bom.register_dependency(components[crate.name, crate.version], [components[key] for key in crate.needs])
    listed = "".join(f"{crate.name} {crate.version}\n" for crate in crates)
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_OID, f"{architecture} {time}\n{listed}")
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def component_of(crate: Crate) -> Component:
    """A crate as a component, with its library in C inside of it."""
    return Component(
        name=crate.name,
        version=crate.version,
        type=ComponentType.APPLICATION if crate.name == PACKAGE else ComponentType.LIBRARY,
        bom_ref=f"{crate.name}@{crate.version}",
        description=crate.description or None,
        licenses=[LicenseFactory().make_from_string(crate.licence)],
        # Only crates of crates.io have an address there.
        purl=PackageURL("cargo", name=crate.name, version=crate.version) if crate.sha256 else None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=crate.sha256)] if crate.sha256 else [],
        components=[library_component(crate.library)] if crate.library else [],
    )


def library_component(library: Library) -> Component:
    return Component(
        name=library.name,
        version=library.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{library.name}@{library.version}",
        licenses=[LicenseFactory().make_from_string(library.licence)],
        purl=PackageURL("generic", name=library.name, version=library.version),
        external_references=[ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(library.home))],
    )
