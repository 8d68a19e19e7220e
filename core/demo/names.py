"""Names for the clients of the demo: what firms in and around Belgium are called, short, accented and very long."""

import random
from itertools import product

_TRADES = [
    "Boulangerie", "Garage", "Menuiserie", "Pharmacie", "Brasserie", "Librairie", "Atelier", "Clinique vétérinaire",
    "Bakkerij", "Slagerij", "Bouwbedrijf", "Fietsenwinkel", "Tuincentrum", "Drukkerij", "Kapsalon", "Apotheek",
    "Bakery", "Joinery", "Printworks", "Bookshop", "Consulting", "Catering", "Bicycles", "Architects",
]  # fmt: skip
_PLACES = [
    "Saint-Honoré", "de l'Étang", "du Château", "Sainte-Thérèse", "d'Outremeuse", "des Grâces", "Œuvre & Cie",
    "De Zwaluw", "Sint-Jan", "'t Hoekje", "Van den Eynde", "Het Gouden Paard", "Müller & Söhne", "Åkerlund",
    "Northfield", "Greenway", "Riverside", "Old Harbour", "O'Connell", "Bright & Early",
]  # fmt: skip
_FORMS = ["SRL", "SA", "BV", "NV", "ASBL", "VZW", "Ltd", ""]
_VERY_LONG = [
    "Association sans but lucratif pour la sauvegarde du patrimoine architectural, industriel et paysager des "
    "communes de la vallée de la Meuse moyenne et de ses affluents",
    "Coöperatieve vennootschap voor de gezamenlijke aankoop en verdeling van landbouwmachines in de Westhoek en "
    "de aangrenzende poldergemeenten",
]


def names(chance: random.Random, count: int) -> list[str]:
    """So many different names."""
    pairs = [f"{trade} {place}" for trade, place in product(_TRADES, _PLACES)]
    chosen = chance.sample(pairs, count - len(_VERY_LONG))
    found = [f"{name} {chance.choice(_FORMS)}".strip() for name in chosen] + _VERY_LONG
    chance.shuffle(found)
    return found
