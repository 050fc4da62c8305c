-- Conversations with one address: found without reading what others said in between.
CREATE INDEX archive_entries_by_address ON archive_entries (archive, with_jid, id);
