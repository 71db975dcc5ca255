"""The vocabulary of the invented company: channels as the CRM spells them, titles, themes, reasons, name parts."""

from __future__ import annotations

from typing import NamedTuple


class Channel(NamedTuple):
    owner: str
    paid: bool
    raw: tuple[str, ...]


CHANNELS = {
    "linkedin_ads": Channel("marketing", True, ("LinkedIn Ads", "linkedin ads", "Paid Social - LinkedIn", "LI Ads")),
    "google_ads": Channel("marketing", True, ("Google Ads", "google ads", "AdWords", "Paid Search")),
    "display": Channel("marketing", True, ("Display", "display", "Programmatic")),
    "organic_search": Channel("marketing", False, ("Organic Search", "organic search", "SEO")),
    "website": Channel("marketing", False, ("Website", "website", "Web Direct", "Inbound Web")),
    "email": Channel("marketing", False, ("Email", "e-mail", "Newsletter")),
    "webinar": Channel("marketing", False, ("Webinar", "webinar", "On-demand Webinar")),
    "event": Channel("marketing", False, ("Event", "Trade Show", "trade show", "Field Event")),
    "content_syndication": Channel("marketing", True, ("Content Syndication", "content synd.")),
    "outbound": Channel("sales", False, ("Outbound", "outbound", "Cold Call", "Sales Prospecting")),
    "referral_partner": Channel("partner", False, ("Partner Referral", "partner referral", "Reseller")),
    "customer_referral": Channel("other", False, ("Customer Referral", "customer referral")),
}
# Raw values that no rule knows: an opportunity with one of these stays with source "unknown".
UNMATCHED = ("Linkdin Ads", "trade fare", "n/a", "other - see notes")

MARKETING_MIX = {
    "linkedin_ads": 0.22,
    "google_ads": 0.16,
    "display": 0.03,
    "organic_search": 0.13,
    "website": 0.16,
    "email": 0.07,
    "webinar": 0.12,
    "event": 0.08,
    "content_syndication": 0.03,
}
OWNER_CHANNEL = {"sales": "outbound", "partner": "referral_partner", "other": "customer_referral"}

SELF_REPORTED = {
    "linkedin_ads": "LinkedIn Ads",
    "google_ads": "Paid Search",
    "organic_search": "Organic Search",
    "website": "Website",
    "webinar": "Webinar",
    "event": "Trade Show",
    "email": "Newsletter",
    "outbound": "Cold Call",
    "referral_partner": "Partner Referral",
    "customer_referral": "Customer Referral",
}

THEMES = {"uptime": 0.34, "energy": 0.24, "retrofit": 0.18, "safety": 0.14, "compliance": 0.1}
PRODUCTS = {"Drive Control": 0.4, "Line Monitor": 0.35, "Energy Desk": 0.25}
COMPETITORS = {"Halden Systems": 0.3, "Orbis Motion": 0.25, "Kestrel Automation": 0.15, "in-house": 0.12, None: 0.18}
LOSS_REASONS = {
    "price": 0.28,
    "no decision": 0.26,
    "competitor": 0.18,
    "missing feature": 0.12,
    "timing": 0.08,
    None: 0.08,
}
WIN_REASONS = {
    "uptime guarantee": 0.3,
    "support": 0.2,
    "price": 0.15,
    "integration": 0.17,
    "references": 0.1,
    None: 0.08,
}
PROMOTIONS = ("Spring retrofit bundle", "Autumn uptime offer", "First-site discount")

SEGMENTS = {"enterprise": 0.15, "mid_market": 0.35, "small": 0.5}
ICP_SHARE = {"enterprise": 0.72, "mid_market": 0.6, "small": 0.34}
INDUSTRIES = {"machinery": 0.24, "food": 0.2, "logistics": 0.18, "chemicals": 0.14, "automotive": 0.14, "energy": 0.1}
COUNTRIES = {"DE": 0.4, "AT": 0.07, "CH": 0.07, "NL": 0.1, "SE": 0.06, "GB": 0.14, "US": 0.16}
REGIONS = {
    "DE": "DACH",
    "AT": "DACH",
    "CH": "DACH",
    "NL": "Benelux",
    "SE": "Nordics",
    "GB": "UK",
    "US": "North America",
}
DEAL_CURRENCY = {"GB": "GBP", "US": "USD"}
LEGAL_FORM = {"DE": "GmbH", "AT": "GmbH", "CH": "AG", "NL": "BV", "SE": "AB", "GB": "Ltd", "US": "Inc"}

NAME_HEADS = (
    "Ald Arv Bel Bor Cal Cor Dal Dor Eld Ers Fal For Gal Gren Hal Hom Ill Ing Jal Jor Kal Kor Lan Lor Mal Mor Nal Nor "
    "Oll Ost Pal Por Qual Quor Ral Ros Sal Sor Tal Tor Ulm Urs Val Vor Wal Wer Xal Yor Zal Zor"
).split()
NAME_TAILS = (
    "aberg alto ameda andis anta arden arix asco atec avia bera blom bruk cast dacker dane dera dex dorf elin ember "
    "enta erix esco etta fors gard gate grund haven heim holm idra ikon illo inga isten iva jord kamp lind lund mark "
    "mere nova onix oria stad strom tera unda vall vik wick zell"
).split()

OWNER_NAMES = (
    "A. Lindqvist,B. Moreau,C. Adler,D. Okafor,E. Brandt,F. Silva,G. Novak,H. Keller,I. Larsen,J. Marsh,K. Vogel,"
    "L. Petit,M. Weiss,N. Byrne,O. Haas,P. Quist,R. Stone,S. Fuchs,T. Nagel,U. Berg,V. Ross,W. Kraus,X. Amado,Y. Sato"
).split(",")

# title: seniority, department, role in a buying group, weight
TITLES = {
    "Chief Operating Officer": ("c_level", "Operations", "economic_buyer", 0.05),
    "Chief Financial Officer": ("c_level", "Finance", "economic_buyer", 0.04),
    "VP Manufacturing": ("vp", "Operations", "decision_maker", 0.06),
    "Director of Engineering": ("director", "Engineering", "decision_maker", 0.09),
    "IT Director": ("director", "IT", "influencer", 0.08),
    "Head of Automation": ("director", "Engineering", "champion", 0.1),
    "Plant Manager": ("manager", "Operations", "champion", 0.13),
    "Procurement Manager": ("manager", "Procurement", "blocker", 0.1),
    "Maintenance Engineer": ("individual", "Engineering", "user", 0.14),
    "Automation Engineer": ("individual", "Engineering", "user", 0.11),
    "Energy Manager": ("manager", "Operations", "influencer", 0.06),
    "Student": ("individual", "Other", None, 0.04),
}

LANDING_PAGES = {
    "/lp/uptime": "uptime",
    "/lp/energy-audit": "energy",
    "/lp/retrofit-check": "retrofit",
    "/lp/safe-stop": "safety",
    "/lp/remote-audit": "compliance",
    "/lp/line-monitor": "uptime",
}
MISMATCHED_PAGE = "/lp/remote-audit"
