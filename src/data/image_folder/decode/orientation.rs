//! Which way up a camera was held: Exif's tag "Orientation" (CIPA DC-008, 4.6.4).

use super::rgb::Rgb;

/// How pixels have to be turned, 1 to 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(u32);

impl Orientation {
    /// Not at all.
    pub(super) const UPRIGHT: Self = Self(1);

    /// What the Exif data say. If they are damaged, or do not say it, the image stays as it is.
    pub(super) fn of_exif(data: &[u8]) -> Self {
        let data = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
        let said = || {
            let exif = exif::Reader::new().read_raw(data.to_vec()).ok()?;
            let field = exif.get_field(exif::Tag::Orientation, exif::In::PRIMARY)?;
            field
                .value
                .get_uint(0)
                .filter(|turn| (1..=8).contains(turn))
        };
        said().map_or(Self::UPRIGHT, Self)
    }

    /// The image as it was seen.
    pub(super) fn apply(self, image: Rgb) -> Rgb {
        let (w, h) = (image.width as usize, image.height as usize);
        // For the pixel at x, y, where it comes from.
        let from: fn(usize, usize, [usize; 2]) -> [usize; 2] = match self.0 {
            2 => |x, y, [w, _]| [w - 1 - x, y],
            3 => |x, y, [w, h]| [w - 1 - x, h - 1 - y],
            4 => |x, y, [_, h]| [x, h - 1 - y],
            5 => |x, y, _| [y, x],
            6 => |x, y, [_, h]| [y, h - 1 - x],
            7 => |x, y, [w, h]| [w - 1 - y, h - 1 - x],
            8 => |x, y, [w, _]| [w - 1 - y, x],
            _ => return image,
        };
        let (width, height) = if self.0 < 5 { (w, h) } else { (h, w) };
        let mut pixels = Vec::with_capacity(image.pixels.len());
        for y in 0..height {
            for x in 0..width {
                let [x, y] = from(x, y, [w, h]);
                pixels.extend(&image.pixels[3 * (y * w + x)..][..3]);
            }
        }
        Rgb {
            width: width as u32,
            height: height as u32,
            pixels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exif data that contain nothing else.
    fn exif(turn: u16, is_little: bool) -> Vec<u8> {
        let short = |x: u16| {
            if is_little {
                x.to_le_bytes()
            } else {
                x.to_be_bytes()
            }
        };
        let long = |x: u32| {
            if is_little {
                x.to_le_bytes()
            } else {
                x.to_be_bytes()
            }
        };
        let mut data = if is_little {
            b"II".to_vec()
        } else {
            b"MM".to_vec()
        };
        data.extend(short(42));
        data.extend(long(8));
        data.extend(short(1));
        data.extend(short(0x112));
        data.extend(short(3));
        data.extend(long(1));
        data.extend(short(turn));
        data.extend(short(0));
        data.extend(long(0));
        data
    }

    fn image(rows: &[&str]) -> Rgb {
        Rgb {
            width: rows[0].len() as u32,
            height: rows.len() as u32,
            pixels: rows.concat().bytes().flat_map(|byte| [byte; 3]).collect(),
        }
    }

    #[test]
    fn all_eight_are_turned_as_the_letter_is_read() {
        // An F as the sensor saw it, for each value of the tag.
        let seen: [&[&str]; 8] = [
            &["##", "# ", "##", "# "],
            &["##", " #", "##", " #"],
            &[" #", "##", " #", "##"],
            &["# ", "##", "# ", "##"],
            &["####", "# # "],
            &["# # ", "####"],
            &[" # #", "####"],
            &["####", " # #"],
        ];
        for (turn, rows) in (1..).zip(seen) {
            for is_little in [true, false] {
                let orientation = Orientation::of_exif(&exif(turn, is_little));
                assert_eq!(orientation, Orientation(turn.into()));
                let upright = orientation.apply(image(rows));
                assert_eq!((upright.width, upright.height), (2, 4), "{turn}");
                assert!(upright.pixels == image(seen[0]).pixels, "{turn}");
            }
        }
    }

    #[test]
    fn what_is_damaged_turns_nothing() {
        let whole = exif(6, true);
        assert_eq!(
            Orientation::of_exif(&[b"Exif\0\0", whole.as_slice()].concat()),
            Orientation(6)
        );
        for length in 0..18 {
            assert_eq!(Orientation::of_exif(&whole[..length]), Orientation::UPRIGHT);
        }
        assert_eq!(Orientation::of_exif(&exif(9, true)), Orientation::UPRIGHT);
        assert_eq!(Orientation::of_exif(&exif(0, false)), Orientation::UPRIGHT);
    }
}
