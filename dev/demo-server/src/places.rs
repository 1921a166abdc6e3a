//! Where the photos of an album were taken, as GeoJSON (RFC 7946): `GET /places?album=NAME`.

use serde_json::{Value, json};

pub const MEDIA_TYPE: &str = "application/geo+json"; // section 12

/// The attributes of an item that a place needs, for a Query's projection. `#location` stands for the reserved word.
pub const ATTRIBUTES: &str = "photoKey, timelineAt, #location, renditions";

/// A point for each photo that tells its place, in the order given.
pub fn collection(photos: &[Value]) -> Value {
    let features: Vec<Value> = photos.iter().filter_map(feature).collect();
    json!({ "type": "FeatureCollection", "features": features })
}

fn feature(photo: &Value) -> Option<Value> {
    let number = |name: &str| Some(&photo["location"][name]).filter(|degrees| degrees.is_number());
    let (longitude, latitude) = (number("longitude")?, number("latitude")?);
    Some(json!({
        "type": "Feature",
        "id": photo["photoKey"],
        // Longitude comes first (section 3.1.1). The altitude is left out: there it is above the ellipsoid, in EXIF
        // above the sea.
        "geometry": { "type": "Point", "coordinates": [longitude, latitude] },
        "properties": {
            "photoKey": photo["photoKey"],
            "timelineAt": photo["timelineAt"],
            "thumbnail": smallest_url(photo),
        },
    }))
}

/// The URL of the narrowest rendition: a map shows it no larger than a fingertip. Null for a failed photo.
fn smallest_url(photo: &Value) -> &Value {
    let renditions = photo["renditions"].as_object().into_iter().flat_map(|all| all.values());
    let with_url = renditions.filter(|rendition| rendition["url"].is_string());
    with_url
        .min_by_key(|rendition| rendition["width"].as_u64())
        .map_or(&Value::Null, |found| &found["url"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo() -> Value {
        json!({
            "photoKey": "tokyo trip/a.jpg",
            "timelineAt": "2024-04-06T17:23:41.123",
            "location": { "latitude": 35.65858, "longitude": 139.745433, "altitude": 40.25 },
            "renditions": {
                "grid": { "url": "https://s3.example/grid", "width": 480 },
                "thumbnail": { "url": "https://s3.example/thumbnail", "width": 1331 },
            },
        })
    }

    #[test]
    fn a_photo_is_a_point_with_its_longitude_first() {
        let feature = json!({
            "type": "Feature",
            "id": "tokyo trip/a.jpg",
            "geometry": { "type": "Point", "coordinates": [139.745433, 35.65858] },
            "properties": {
                "photoKey": "tokyo trip/a.jpg",
                "timelineAt": "2024-04-06T17:23:41.123",
                "thumbnail": "https://s3.example/grid",
            },
        });
        assert_eq!(
            collection(&[photo()]),
            json!({ "type": "FeatureCollection", "features": [feature] })
        );
    }

    #[test]
    fn a_photo_without_a_whole_place_is_left_out() {
        for location in [
            json!(null),
            json!({}),
            json!({ "latitude": 35.65858 }),
            json!({ "longitude": 139.745433 }),
        ] {
            let photo = json!({ "photoKey": "tokyo trip/b.jpg", "location": location });
            assert_eq!(collection(&[photo])["features"], json!([]), "{location}");
        }
    }

    #[test]
    fn an_album_whose_places_are_off_is_an_empty_collection() {
        let photos = ["a", "b"]
            .map(|name| json!({ "photoKey": name, "timelineAt": "2024-04-06T17:23:41.123" }));
        assert_eq!(collection(&photos), json!({ "type": "FeatureCollection", "features": [] }));
    }

    #[test]
    fn the_points_keep_the_order_of_the_photos() {
        let numbered = |number: u32| {
            let mut photo = photo();
            photo["photoKey"] = format!("{number}").into();
            photo
        };
        let places = collection(&[numbered(2), json!({}), numbered(1), numbered(3)]);
        let ids: Vec<&Value> =
            places["features"].as_array().unwrap().iter().map(|feature| &feature["id"]).collect();
        assert_eq!(ids, ["2", "1", "3"]);
    }

    #[test]
    fn a_failed_photo_has_a_place_without_a_picture() {
        let mut failed = photo();
        failed.as_object_mut().unwrap().remove("renditions");
        assert_eq!(collection(&[failed])["features"][0]["properties"]["thumbnail"], Value::Null);
    }

    #[test]
    fn a_copy_that_could_not_be_made_is_no_picture() {
        let mut photo = photo();
        photo["renditions"]["share"] =
            json!({ "absent": "the file has no end", "version": "01234567" });
        assert_eq!(
            collection(&[photo])["features"][0]["properties"]["thumbnail"],
            "https://s3.example/grid"
        );
    }
}
