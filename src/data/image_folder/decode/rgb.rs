//! A decoded image.

/// Longest side, the JPEG decoder's default: limits the memory for one file to 768 MiB.
pub const LONGEST: u32 = 1 << 14;

/// A decoded image.
pub struct Rgb {
    pub width: u32,
    pub height: u32,
    /// `[y][x][channel]`, three channels.
    pub pixels: Vec<u8>,
}

/// Refuses an image with such sides before memory is allocated for it.
pub(super) fn admit(width: u32, height: u32) -> Result<(), String> {
    match width.max(height) > LONGEST {
        true => Err(format!(
            "{width} × {height} pixels are more than the {LONGEST} of a side that are read"
        )),
        false => Ok(()),
    }
}

/// The colours of pixels with `samples` samples each: grey, grey and transparency, colours, or colours and
/// transparency.
pub(super) fn colours(raw: Vec<u8>, samples: usize) -> Vec<u8> {
    match samples {
        3 => raw,
        _ => raw
            .chunks_exact(samples.max(1))
            .flat_map(|pixel| match *pixel {
                [r, g, b, ..] => [r, g, b],
                [grey, ..] => [grey; 3],
                [] => [0; 3],
            })
            .collect(),
    }
}

pub(super) fn whole(image: Rgb) -> Result<Rgb, String> {
    let expected = image.width as usize * image.height as usize * 3;
    if expected == 0 || image.pixels.len() != expected {
        return Err(format!(
            "{} × {} pixels came out as {} bytes, not {expected}",
            image.width,
            image.height,
            image.pixels.len()
        ));
    }
    Ok(image)
}
