"""A table's columns in DataHub's words."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from headwater.adapters.datahub.urns import tag_urn
from headwater.domain.lineage import DatasetFacts
from headwater.domain.schema import Column

if TYPE_CHECKING:
    from datahub.metadata.schema_classes import SchemaFieldClass, SchemaMetadataClass

_TYPES = {
    "boolean": "BooleanTypeClass",
    "int": "NumberTypeClass",
    "long": "NumberTypeClass",
    "float": "NumberTypeClass",
    "double": "NumberTypeClass",
    "decimal": "NumberTypeClass",
    "date": "DateTypeClass",
    "timestamp": "TimeTypeClass",
    "timestamptz": "TimeTypeClass",
    "string": "StringTypeClass",
    "uuid": "StringTypeClass",
    "binary": "BytesTypeClass",
    "list": "ArrayTypeClass",
    "struct": "RecordTypeClass",
    "map": "MapTypeClass",
}


def schema_metadata(dataset: DatasetFacts) -> SchemaMetadataClass:
    """The source's side of the schema; what people write on columns in DataHub lives in another aspect."""
    from datahub.metadata import schema_classes as aspects

    expressions = {column.column: column.transformation for column in dataset.columns if column.transformation}
    fields = [
        _field(column, dataset.classifications.get(column.name), expressions.get(column.name))
        for column in dataset.schema_.columns
    ]
    names = set(dataset.schema_.names)
    return aspects.SchemaMetadataClass(
        schemaName=dataset.table.iceberg,
        platform="urn:li:dataPlatform:iceberg",
        version=0,
        hash=sha256(dataset.schema_.model_dump_json().encode()).hexdigest(),
        platformSchema=aspects.OtherSchemaClass(rawSchema=dataset.schema_.model_dump_json()),
        primaryKeys=[name for name in dataset.schema_.primary_key if name in names] or None,
        fields=fields,
    )


def _field(column: Column, classification: str | None, expression: str | None) -> SchemaFieldClass:
    from datahub.metadata import schema_classes as aspects

    family = column.type.split("(")[0].split("<")[0]
    kind = getattr(aspects, _TYPES.get(family, "NullTypeClass"))()
    tags = None
    if classification:
        tags = aspects.GlobalTagsClass(tags=[aspects.TagAssociationClass(tag=tag_urn(classification))])
    return aspects.SchemaFieldClass(
        fieldPath=column.name,
        type=aspects.SchemaFieldDataTypeClass(type=kind),
        nativeDataType=column.type,
        nullable=not column.required,
        description=column.doc,
        globalTags=tags,
        jsonProps=json.dumps({"headwater.expression": expression}) if expression else None,
    )
