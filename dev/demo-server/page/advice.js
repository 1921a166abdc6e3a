// What users can do about a photo that failed. `failure.message` is for those who run the service: it names limits,
// keys and settings. Users get words of their own for each `failure.type` of docs/operations.md.

const ADVICE = {
  ArchivedPhoto: {
    what: "The original is in an archive",
    advice: "You need do nothing: the photo appears here when its original has been taken out of the archive.",
  },
  CorruptPhoto: {
    what: "The file is damaged",
    advice: "Open it on your device. If it looks right there, save it anew and upload that.",
  },
  DecoderPanic: {
    what: "We could not read this photo",
    advice: "The mistake is ours, and your original is kept. Save the photo anew as JPEG and upload that.",
  },
  EmptyPhoto: {
    what: "The file is empty",
    advice: "It may not have left your cloud storage yet. Open it on your device first, then upload it again.",
  },
  ItemRefused: {
    what: "We could not save this photo's facts",
    advice: "The mistake is ours, and your original is kept. Uploading it again does not help.",
  },
  KeyTooLong: {
    what: "The trip's name is too long for this photo",
    advice: "Upload the photo to a trip with a shorter name.",
  },
  NotAPhoto: {
    what: "This is not a photo",
    advice: "The file is named like a photo, but holds something else. Look for the photo itself and upload that.",
  },
  TooLittleMemory: {
    what: "The photo is too large to process",
    advice: "Save it with fewer pixels, or as an ordinary JPEG, and upload that.",
  },
  TooManyBytes: {
    what: "The file is too large",
    advice: "Save it as a JPEG of normal quality and upload that.",
  },
  TooManyPixels: {
    what: "The picture has too many pixels",
    advice: "Save it in a smaller size and upload that.",
  },
  TruncatedPhoto: {
    what: "A part of the photo is missing",
    advice: "The file was cut off before it reached us. Upload it again, from where it is whole.",
  },
  UnsupportedFormat: {
    what: "We cannot show this kind of picture",
    advice: "Save it as JPEG or PNG and upload that.",
  },
};

const OTHER = {
  what: "Something went wrong with this photo",
  advice: "Your original is kept. Try to upload it once more.",
};

/** What went wrong in a few words, and what a user can do. */
export const adviceFor = ({ type } = {}) => ADVICE[type] ?? OTHER;
