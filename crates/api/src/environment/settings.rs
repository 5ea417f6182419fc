//! The shapes of settings. What each may be is judged by the use case, which knows them by name;
//! these say it to whoever reads the document.

use crate::bounds::{Colour, Font, Nothing, Off, PictureUrl, ScanPayloads, Text};
use app::AppError;
use app::environment::Settings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// What the installation is set to. Only `enforceEventTypeSchemas` and `scanPayloads` change what
/// the server does; the others are kept for the pages that consumers see.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EnvironmentSettingsOut")]
pub(super) struct SettingsOut {
    /// None: endpoints are called with HTTP.
    #[schemars(with = "Nothing")]
    advanced_endpoint_types: Vec<Value>,
    color_palette_dark: Option<CustomColorPalette>,
    color_palette_light: Option<CustomColorPalette>,
    #[schemars(with = "Option<Colour>")]
    custom_color: Option<String>,
    #[schemars(with = "Option<Font>")]
    custom_font_family: Option<String>,
    #[schemars(with = "Option<PictureUrl>")]
    custom_font_family_url: Option<String>,
    #[schemars(with = "Option<PictureUrl>")]
    custom_logo_url: Option<String>,
    custom_strings_override: Option<CustomStringsOverride>,
    custom_theme_override: Option<CustomThemeOverride>,
    #[schemars(with = "Option<Text>")]
    display_name: Option<String>,
    /// Whether consumers' pages offer channels. Messages and endpoints may have them either way.
    enable_channels: bool,
    /// `false`: not built.
    #[schemars(with = "Off")]
    enable_endpoint_mtls_config: bool,
    /// `false`: not built.
    #[schemars(with = "Off")]
    enable_endpoint_oauth_config: bool,
    /// `false`: not built.
    #[schemars(with = "Off")]
    enable_integration_management: bool,
    /// `false`: not built.
    #[schemars(with = "Off")]
    enable_message_stream: bool,
    /// Whether consumers' pages offer tags. Messages may have them either way.
    enable_message_tags: bool,
    /// `false`: not built.
    #[schemars(with = "Off")]
    enable_transformations: bool,
    /// Messages whose payload does not match the newest JSON Schema of their event type are refused
    /// with 422.
    enforce_event_type_schemas: bool,
    #[schemars(with = "Option<PictureUrl>")]
    logo_url: Option<String>,
    /// What is done about what should not be in payloads (card and account numbers, private keys,
    /// API keys, tokens, e-mail addresses): `off`: it is not looked for; `report`: it is a security
    /// event, by kind and place; `refuse`: the message is refused with 422.
    #[schemars(with = "ScanPayloads")]
    scan_payloads: String,
    show_feature_tooltips: bool,
    show_svix_brand_footer: bool,
    show_use_svix_play: bool,
    /// `false`: not built.
    #[schemars(with = "Off")]
    wipe_successful_payload: bool,
}

impl SettingsOut {
    pub(super) fn new(settings: &Settings) -> Result<Self, AppError> {
        serde_json::from_value(Value::Object(settings.all()))
            .map_err(|error| AppError::Internal(error.into()))
    }
}

/// Some settings, by name: `null` is as it was at first.
#[derive(Deserialize)]
pub(super) struct SettingsIn(pub(super) Map<String, Value>);

impl JsonSchema for SettingsIn {
    fn schema_name() -> Cow<'static, str> {
        "EnvironmentSettingsIn".into()
    }

    /// As they are told; each of them may be left out, or null, and there are no others.
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let mut schema = SettingsOut::json_schema(schemas);
        schema.remove("required");
        if let Some(Value::Object(settings)) = schema.get_mut("properties") {
            settings.values_mut().for_each(allow_null);
        }
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        schema
    }
}

fn allow_null(shape: &mut Value) {
    if let Some(kind @ Value::String(_)) = shape.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    if let Some(Value::Array(words)) = shape.get_mut("enum")
        && !words.contains(&Value::Null)
    {
        words.push(Value::Null);
    }
}

macro_rules! parts {
    ($($(#[$doc:meta])* $part:ident { $($field:ident: $type:ty as $shape:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct $part {$(
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(with = $shape)]
            $field: Option<$type>,
        )*}
    )*};
}

parts! {
    /// Colours of consumers' pages.
    CustomColorPalette {
        background_hover: String as "Option<Colour>",
        background_primary: String as "Option<Colour>",
        background_secondary: String as "Option<Colour>",
        border_primary: String as "Option<Colour>",
        button_primary: String as "Option<Colour>",
        interactive_accent: String as "Option<Colour>",
        navigation_accent: String as "Option<Colour>",
        primary: String as "Option<Colour>",
        text_danger: String as "Option<Colour>",
        text_primary: String as "Option<Colour>",
        text_secondary: String as "Option<Colour>",
    }
    /// Words of consumers' pages.
    CustomStringsOverride {
        channels_help: String as "Option<Text>",
        channels_many: String as "Option<Text>",
        channels_one: String as "Option<Text>",
    }
    /// The look of consumers' pages.
    CustomThemeOverride {
        border_radius: BorderRadiusConfig as "Option<BorderRadiusConfig>",
        font_size: FontSizeConfig as "Option<FontSizeConfig>",
    }
    /// How round corners are.
    BorderRadiusConfig {
        button: Radius as "Option<Radius>",
        card: Radius as "Option<Radius>",
        input: Radius as "Option<Radius>",
    }
    /// How large texts are.
    FontSizeConfig {
        base: u16 as "Option<u16>",
    }
}

/// How round a corner is.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "BorderRadiusEnum")]
enum Radius {
    None,
    Lg,
    Md,
    Sm,
    Full,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_in_the_shape_and_comes_back_as_it_was() {
        let all = Settings::default().all();
        let shown = SettingsOut::new(&Settings::default()).expect("they have this shape");
        let shown = serde_json::to_value(shown).expect("it is JSON");
        assert_eq!(shown, Value::Object(all));
    }
}
