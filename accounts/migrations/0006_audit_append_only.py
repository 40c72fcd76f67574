"""Audit rows are only ever added: PostgreSQL says so too."""

from django.db import migrations, models

APPEND_ONLY = """
CREATE FUNCTION accounts_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE'
     AND current_setting('tapelog.forgotten_owner', true) = OLD.owner_id::text THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit rows are only ever added' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON accounts_auditentry
  FOR EACH ROW EXECUTE FUNCTION accounts_audit_is_append_only();

-- The one way in which rows go: a chain with its owner. Returns how many there were.
CREATE FUNCTION accounts_forget_audit(owner bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  gone bigint;
BEGIN
  PERFORM set_config('tapelog.forgotten_owner', owner::text, true);
  DELETE FROM accounts_auditentry WHERE owner_id = owner;
  GET DIAGNOSTICS gone = ROW_COUNT;
  DELETE FROM accounts_auditchain WHERE owner_number = owner;
  PERFORM set_config('tapelog.forgotten_owner', '', true);
  RETURN gone;
END $$;
"""
UNDONE = """
DROP FUNCTION accounts_forget_audit(bigint);
DROP TRIGGER audit_is_append_only ON accounts_auditentry;
DROP FUNCTION accounts_audit_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_chain_audit")]

    operations = [
        migrations.AddConstraint(
            model_name="auditentry",
            constraint=models.UniqueConstraint(fields=["owner", "number"], name="one_row_a_link"),
        ),
        migrations.AddConstraint(
            model_name="auditentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("owner", None)), fields=("number",), name="one_server_row_a_link"
            ),
        ),
        migrations.RunSQL(APPEND_ONLY, UNDONE),
    ]
