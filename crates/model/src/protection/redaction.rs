//! How an endpoint's redaction is written: rules and paths as texts of lines.

use crate::endpoint::StoredFormError;
use crate::fields::{Fields, Part};
use crate::redaction::{EndpointRedaction, paths, paths_text, rules, rules_text};

const WRONG: StoredFormError = StoredFormError::new("redaction");

impl Part for EndpointRedaction {
    fn write(&self, fields: &mut Fields) {
        fields.put_text("rules", &rules_text(&self.rules));
        fields.put_text("allowed", &paths_text(&self.allowed));
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        Ok(Self {
            rules: rules(&fields.text("rules")?).ok_or(WRONG)?,
            allowed: paths(&fields.text("allowed")?).ok_or(WRONG)?,
        })
    }
}
