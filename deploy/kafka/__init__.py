"""Apache Kafka on this machine, without containers: for trials (`make kafka`) and for tests."""
