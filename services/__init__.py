"""The stages. They never import each other: schemas and topics are all they share."""
