//! JSON as JSON Schema means it, where serde takes more or less than the document says: an object
//! is never an array of its values, an enum is always a word, and a number without a fraction is
//! whole, however it is written.
//!
//! It stands between a format and whatever is read from it, so that no shape can forget it. What is
//! read twice (serde's flattened and untagged shapes) is out of its reach: no shape is such a one.

use serde::de::{
    DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use std::fmt;
use std::ops::Range;

/// A deserializer, a visitor, or a part of one of the two, whose parts are all like it.
pub(crate) struct Strict<T>(pub(crate) T);

/// Hands on a call with the visitor wrapped.
macro_rules! hand_on {
    ($wrap:expr; $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($wrap(visitor))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    hand_on! { Strict;
        deserialize_any deserialize_bool deserialize_f32 deserialize_f64 deserialize_char
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_option deserialize_unit deserialize_seq deserialize_map
        deserialize_identifier deserialize_ignored_any
    }

    hand_on! { Integer;
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, Object(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_str(Word(visitor))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, Strict(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Strict(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(length, Strict(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0
            .deserialize_tuple_struct(name, length, Strict(visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// What is expected is what the visitor inside expects.
macro_rules! expects {
    () => {
        type Value = V::Value;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.expecting(f)
        }
    };
}

/// Hands on a plain value.
macro_rules! visits {
    ($($method:ident: $value:ty;)*) => {$(
        fn $method<E: Error>(self, value: $value) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<V> {
    expects! {}

    visits! {
        visit_bool: bool;
        visit_i64: i64;
        visit_u64: u64;
        visit_f64: f64;
        visit_str: &str;
        visit_borrowed_str: &'de str;
        visit_string: String;
        visit_bytes: &[u8];
        visit_borrowed_bytes: &'de [u8];
        visit_byte_buf: Vec<u8>;
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Strict(value))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Strict(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Strict(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Strict(fields))
    }
}

/// Takes whole numbers.
struct Integer<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Integer<V> {
    expects! {}

    visits! {
        visit_i64: i64;
        visit_u64: u64;
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        // What is whole and in these ranges is an integer, exactly.
        const SIGNED: Range<f64> = i64::MIN as f64..0.0;
        const UNSIGNED: Range<f64> = 0.0..u64::MAX as f64;
        match value.fract() == 0.0 {
            true if UNSIGNED.contains(&value) => self.0.visit_u64(value as u64),
            true if SIGNED.contains(&value) => self.0.visit_i64(value as i64),
            _ => Err(E::invalid_type(Unexpected::Float(value), &self)),
        }
    }
}

/// Takes objects.
struct Object<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Object<V> {
    expects! {}

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Strict(fields))
    }
}

/// Takes words for the variants of an enum.
struct Word<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Word<V> {
    expects! {}

    fn visit_str<E: Error>(self, word: &str) -> Result<V::Value, E> {
        self.0.visit_enum(word.into_deserializer())
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(value))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        // Names are read as they are: nothing of them could be meant in two ways.
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        number: Option<u16>,
        signed: Option<i64>,
        inner: Option<Box<Shape>>,
        list: Option<Vec<Shape>>,
        kind: Option<Kind>,
        any: Option<Value>,
        raw: Option<Box<RawValue>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Kind {
        One,
    }

    fn read(json: &str) -> serde_json::Result<Shape> {
        Shape::deserialize(Strict(&mut serde_json::Deserializer::from_str(json)))
    }

    #[test]
    fn a_number_without_a_fraction_is_whole_however_it_is_written() {
        for (text, number) in [("5", 5), ("5.0", 5), ("50e-1", 5), ("6.5535e4", 65_535)] {
            let shape = read(&format!("{{\"number\":{text}}}")).expect(text);
            assert_eq!(shape.number, Some(number), "{text}");
        }
        for (text, signed) in [
            ("-7.0", -7),
            ("-0.0", 0),
            ("1e18", 1_000_000_000_000_000_000),
        ] {
            let shape = read(&format!("{{\"signed\":{text}}}")).expect(text);
            assert_eq!(shape.signed, Some(signed), "{text}");
        }
        for text in [
            "5.5", "-1.0", "65536.0", "1e19", "-1e19", "1e300", "1e-300", "\"5\"", "[5]",
        ] {
            assert!(read(&format!("{{\"number\":{text}}}")).is_err(), "{text}");
        }
    }

    #[test]
    fn an_array_is_no_object_at_any_depth() {
        for text in [
            "[]",
            "[5,null,null,null,null,null,null]",
            r#"{"inner":[5,null,null,null,null,null,null]}"#,
            r#"{"inner":{"inner":[]}}"#,
            r#"{"list":[{},[5,null,null,null,null,null,null]]}"#,
        ] {
            let refused = read(text).expect_err(text).to_string();
            let reason = "invalid type: sequence, expected struct Shape";
            assert!(refused.starts_with(reason), "{text}: {refused}");
        }
        let deep = read(r#"{"inner":{"list":[{"number":1.0}]}}"#).expect("objects");
        let list = deep.inner.and_then(|inner| inner.list).expect("a list");
        assert_eq!(list[0].number, Some(1));
    }

    #[test]
    fn a_word_is_no_object() {
        let shape = read(r#"{"kind":"One"}"#).expect("a word");
        assert_eq!(shape.kind, Some(Kind::One));
        for text in [r#"{"One":null}"#, r#""Two""#, "1"] {
            assert!(read(&format!("{{\"kind\":{text}}}")).is_err(), "{text}");
        }
    }

    #[test]
    fn what_may_be_anything_is_taken_as_it_is() {
        let text = r#"{"any":[5.0,{"a":[1]},"x"],"raw":{ "n": 1.0 }}"#;
        let shape = read(text).expect("anything");
        assert_eq!(shape.any, Some(json!([5.0, { "a": [1] }, "x"])));
        assert_eq!(
            shape.raw.map(|raw| raw.get().to_owned()).as_deref(),
            Some("{ \"n\": 1.0 }")
        );
    }
}
