//! Units by their place, as people write it: width, spaces, script and digits make no difference, on neither side.

use std::collections::HashMap;

use steward_kernel::{fold::folded, ids::EstateId};

use super::register::{KnownUnits, UnitPlace};

/// What is written behind the number of a unit and says nothing.
const UNIT_ENDS: [&str; 4] = ["号室", "号房", "室", "房"];
/// What a Chinese numeral is followed by when it is a number.
const COUNTED: [char; 14] = ['号', '栋', '幢', '座', '楼', '期', '区', '单', '门', '梯', '层', '组', '弄', '村'];

/// What is the same of places that are written differently.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PlaceKey {
    building: String,
    entrance: String,
    unit: String,
}

impl PlaceKey {
    /// Of a place.
    #[must_use]
    pub fn of(place: &UnitPlace) -> Self {
        let unit = folded(&place.unit);
        let bare = UNIT_ENDS.iter().find_map(|end| unit.strip_suffix(end)).filter(|bare| !bare.is_empty());
        Self {
            building: in_digits(&folded(&place.building)),
            entrance: in_digits(&folded(&place.entrance)),
            unit: bare.unwrap_or(&unit).to_owned(),
        }
    }

    /// How like another place it reads, from 0 to 1. The unit's number weighs as much as all before it.
    fn likeness(&self, other: &Self) -> f64 {
        let house = strsim::normalized_damerau_levenshtein(
            &format!("{} {}", self.building, self.entrance),
            &format!("{} {}", other.building, other.entrance),
        );
        house.midpoint(strsim::normalized_damerau_levenshtein(&self.unit, &other.unit))
    }
}

/// What stands behind a Chinese numeral makes it a number: 十二号楼 is 12号楼, 三一大厦 stays.
fn in_digits(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut numeral = String::new();
    for c in text.chars() {
        if "零〇一二三四五六七八九十百".contains(c) {
            numeral.push(c);
            continue;
        }
        match value(&numeral).filter(|_| COUNTED.contains(&c)) {
            Some(number) => made.push_str(&number.to_string()),
            None => made.push_str(&numeral),
        }
        numeral.clear();
        made.push(c);
    }
    made + &numeral
}

/// 1 to 999: 十二, 二十, 一百零三.
fn value(numeral: &str) -> Option<u32> {
    let (mut total, mut digit) = (0_u32, None);
    for c in numeral.chars() {
        match c {
            '十' => total += digit.take().unwrap_or(1) * 10,
            '百' => total += digit.take()? * 100,
            '零' | '〇' => {}
            c => {
                let found =
                    "一二三四五六七八九".chars().zip(1_u32..).find(|(known, _)| *known == c).map(|(_, digit)| digit)?;
                if digit.replace(found).is_some() {
                    return None;
                }
            }
        }
    }
    Some(total + digit.unwrap_or(0)).filter(|number| *number > 0)
}

/// What was found for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a, T> {
    /// One unit.
    One(&'a T),
    /// Several that are written so alike that nobody knows which is meant.
    Several(Vec<&'a UnitPlace>),
    /// None.
    None,
}

/// The units of the register, to be found however they are written.
#[derive(Debug)]
pub struct Rooms<'a, T> {
    exact: &'a KnownUnits<T>,
    alike: HashMap<(EstateId, PlaceKey), Vec<(&'a UnitPlace, &'a T)>>,
}

impl<'a, T> Rooms<'a, T> {
    /// Of these units.
    #[must_use]
    pub fn new(units: &'a KnownUnits<T>) -> Self {
        let mut alike: HashMap<_, Vec<_>> = HashMap::with_capacity(units.len());
        for ((estate, place), unit) in units {
            alike.entry((*estate, PlaceKey::of(place))).or_default().push((place, unit));
        }
        Self { exact: units, alike }
    }

    /// The unit at that place: the one that is written just so, else the one that is written alike.
    #[must_use]
    pub fn find(&self, estate: EstateId, place: &UnitPlace) -> Found<'a, T> {
        if let Some(unit) = self.exact.get(&(estate, place.clone())) {
            return Found::One(unit);
        }
        match self.alike.get(&(estate, PlaceKey::of(place))).map(Vec::as_slice) {
            None | Some([]) => Found::None,
            Some([(_, unit)]) => Found::One(unit),
            Some(several) => Found::Several(several.iter().map(|(place, _)| *place).collect()),
        }
    }

    /// The place of the estate that reads most like this one, if any does.
    #[must_use]
    pub fn nearest(&self, estate: EstateId, place: &UnitPlace) -> Option<&'a UnitPlace> {
        let sought = PlaceKey::of(place);
        let of_estate = self.alike.iter().filter(|((of, _), _)| *of == estate);
        let likeness = of_estate.map(|((_, key), places)| (sought.likeness(key), places));
        let near = likeness.filter(|(likeness, _)| *likeness >= 0.5);
        // Of equally near ones always the same: maps have no order.
        let places = near.filter_map(|(likeness, places)| places.first().map(|(place, _)| (likeness, *place)));
        places
            .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.to_string().cmp(&a.1.to_string())))
            .map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn place(building: &str, entrance: &str, unit: &str) -> UnitPlace {
        UnitPlace { building: building.into(), entrance: entrance.into(), unit: unit.into() }
    }

    fn estate() -> EstateId {
        Uuid::from_u128(1).into()
    }

    #[test]
    fn rooms_are_found_however_their_place_is_written() {
        let known =
            [("1号楼", "", "0101"), ("1号楼", "", "0102"), ("12号楼", "2单元", "301"), ("三一大厦", "", "A座8")];
        let units: KnownUnits<usize> =
            known.iter().enumerate().map(|(n, (b, e, u))| ((estate(), place(b, e, u)), n)).collect();
        let rooms = Rooms::new(&units);
        for ((building, entrance, unit), n) in [
            (("1号楼", "", "０１０１"), 0),
            (("1 号楼", "", "0101"), 0),
            (("１号楼", "", "0101"), 0),
            (("1號樓", "", "0101"), 0),
            (("1号楼", "", "0101室"), 0),
            (("一号楼", "", "0101号房"), 0),
            (("十二号楼", "二單元", "301"), 2),
            (("三一大廈", "", "a座 8"), 3),
        ] {
            assert_eq!(rooms.find(estate(), &place(building, entrance, unit)), Found::One(&n), "{building} {unit}");
        }
        for (building, unit, nearest) in [
            ("1号楼", "101", Some("1号楼 0101")),
            ("1栋", "0102", Some("1号楼 0102")),
            ("12号楼", "301", Some("12号楼 2单元 301")),
            ("游泳池", "更衣", None),
        ] {
            let sought = place(building, "", unit);
            assert_eq!(rooms.find(estate(), &sought), Found::None);
            assert_eq!(
                rooms.nearest(estate(), &sought).map(ToString::to_string).as_deref(),
                nearest,
                "{building} {unit}"
            );
        }
        assert_eq!(rooms.find(Uuid::from_u128(2).into(), &place("1号楼", "", "0101")), Found::None);
    }

    #[test]
    fn what_could_be_two_units_is_neither_but_for_the_one_that_is_written_so() {
        let units: KnownUnits<usize> =
            [((estate(), place("1", "", "101")), 0), ((estate(), place("1", "", "101室")), 1)].into();
        let rooms = Rooms::new(&units);
        assert_eq!(rooms.find(estate(), &place("1", "", "101室")), Found::One(&1));
        assert!(matches!(rooms.find(estate(), &place("1", "", "１０１")), Found::Several(places) if places.len() == 2));
    }

    #[test]
    fn chinese_numerals_are_numbers_where_something_is_counted() {
        for (written, meant) in [
            ("十号楼", "10号楼"),
            ("二十一栋", "21栋"),
            ("一百零三号", "103号"),
            ("三一大厦", "三一大厦"),
            ("一二期", "一二期"),
        ] {
            assert_eq!(in_digits(written), meant);
        }
    }
}
