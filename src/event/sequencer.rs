//! The order of the events of one key.

/// S3's order of the events of one key: hexadecimal numbers of differing length, to be compared
/// left-padded with zeros (Amazon S3 User Guide, "Event message structure").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequencer(String);

impl Sequencer {
    /// Digits to which shorter sequencers are padded; S3's have had 16 and 18.
    pub const DIGITS: usize = 32;

    /// The sequencer, upper-case and padded, so that the order of texts is the order of numbers;
    /// `None` for a text that is no such number.
    pub fn new(text: &str) -> Option<Sequencer> {
        let is_number = !text.is_empty()
            && text.len() <= Sequencer::DIGITS
            && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_number.then(|| Sequencer(format!("{:0>32}", text.to_ascii_uppercase())))
    }

    /// The 32 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequencers_compare_as_hexadecimal_numbers() {
        let sequencer = |text| Sequencer::new(text).unwrap();
        assert!(sequencer("ff") < sequencer("0100"));
        assert_eq!(sequencer("00ab"), sequencer("AB"));
        assert_eq!(sequencer("0A").as_str(), "0000000000000000000000000000000A");
        assert_eq!(sequencer(&"F".repeat(32)).as_str(), "F".repeat(32));
        for text in ["", "xyz", "-1", &"1".repeat(33)] {
            assert_eq!(Sequencer::new(text), None, "{text:?}");
        }
    }
}
