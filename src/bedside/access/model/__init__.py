"""Values and pure rules of access: people, places, the policy, audit wording, SMART scopes."""
