"""Given names that are common in Canada, in small letters. Names that are more often words or places are left out."""

from __future__ import annotations

NAMES = """
aaron abdul abigail adam adele adrian ahmed aicha aidan alain alan albert alejandro alessandro alex alexander
alexandra alexandre alexis alfred ali alice alicia alison allan allison alyssa amanda amelia amelie amina amir amy
amélie ana andre andrea andree andrew andré andrée angela angelina angelo angus anita ann anna annabelle anne annie
anthony antoine antonio arjun arnaud arthur arun ashley astrid audrey aurelie aurélie ava barbara barry beatrice
benedict benjamin benoit benoît bernadette bernard bertrand beth betty beverly bobby boris brad bradley brandon
brenda brendan brent brian bridget brigitte brittany bruce bruno bryan béatrice caitlin caleb cameron camille carl
carla carlos carol carole caroline carolyn catherine cathy cecile celine chantal charlene charles charlie charlotte
cheryl chloe chloé chris christian christiane christina christine christophe christopher cindy claire clara claude
claudette claudia clement clifford clément colette colin colleen connor corey corinne courtney cynthia cécile céline
damien dan daniel danielle danny darlene darren darryl dave david deborah debra deepak denis denise dennis derek
desmond diana diane didier dmitri dominic dominique donald donna doris dorothy doug douglas duncan dwayne dylan
edith edmond eduardo edward edwin eileen elaine eleanor elena elias elijah elisabeth elise elizabeth ella ellen
eloise emilie emily emma emmanuel eric erica erika erin ernest esther ethan etienne eugene eva evan evelyn fabien
farah fatima felix fernand fernando fiona francesca francesco francine francis francisco franco francois francoise
frank franklin françois françoise fred frederic frederick frédéric félix gabriel gabriela gabrielle gary gaston
gavin genevieve geneviève geoffrey george georges gerald geraldine gerard germain ghislain gilbert gilles gillian
ginette giovanni giuseppe gladys glen glenn gordon graham greg gregoire gregory grégoire guillaume gurpreet guylaine
gwen gérald gérard hannah harjit harold harpreet harry hassan heather hector helen helene henri henry herbert hervé
hugo hugues hussein hélène ian ibrahim igor ines ingrid inès irene isaac isabel isabella isabelle isaiah ivan jack
jacob jacqueline jacques jaime jake james jamie jane janet janice jasmin jasmine jason javier jean jeanette jeanne
jeannette jeff jeffrey jennifer jenny jeremie jeremy jerome jesse jessica jian jill jim jimmy joan joanna joanne
jocelyn jocelyne joe joel johanne john johnny jon jonathan jorge jose josee joseph josephine joshua josianne josé
josée joyce joël juan judith judy jules julia julian julie julien juliette julio justin justine jérémie jérôme karen
karim karine karl kate katherine kathleen kathryn kathy katia katie keith kelly kelsey ken kenneth kevin khalid kim
kimberly kirk kristen kristin kumar kyle lance larry laura laurel lauren laurence laurent laurie lawrence lea leah
lee leila leo leon leonard leslie liam lilian liliane lily linda lindsay lionel lisa lise lois lorraine louis louise
luc luca lucas lucie lucien lucy luis luke lyne lynn léa léo léon léonard madeleine mahmoud malcolm manon manuel
marc marcel marcelle marco marcus margaret marguerite maria marianne marie marilyn mario marion marjorie marlene
martha martin martine marvin mary maryse mathew mathieu mathilde matthew matthieu maude maureen maurice maxime
maxwell megan mei melanie melissa mercedes meredith michael michaël michel michele micheline michelle michèle miguel
mike mila miranda miriam mitchell mohamed mohammed mona monica monique morgan muhammad murielle murray myriam
mélanie mélissa nadia nadine nancy naomi natalia natalie nathalie nathan nathaniel neil nelson nguyen nicholas
nicolas nicole nicoletta nina noah noemie nora norma norman normand noémie odette olga oliver olivia olivier omar
oscar owen pablo pamela pascal pascale patrice patricia patrick paul paula paulette pauline pedro peggy penelope
peter philip philippe phillip phyllis pierre pierrette priya rachel rachelle rahul rajesh ralph randy raphael
raphaël raymond rebecca rejean remi rene renee rené renée rhonda ricardo richard rick rita robert roberta roberto
robin rodney roger roland romain roman ron ronald rosa rosemary ross roxanne roy russell ruth ryan réjean rémi
sabrina sally salma samantha samir samuel sandeep sandra sara sarah scott sean sebastian sebastien serge sergio
shane shannon sharon shaun shawn sheila shelley sherry shirley sidney simon simone simran singh sofia solange sonia
sophia sophie stanley stefan stefano stella stephane stephanie stephen steve steven stewart stuart stéphane
stéphanie sue susan suzanne sven sylvain sylvie sébastien tamara tammy tanya tara ted teresa terrence terry thelma
theo theodore theresa therese thomas théo thérèse tiffany tim timothy tina todd tom tommy toni tony tracey tracy
travis trevor tristan tyler valerie valérie vanessa vera veronica veronique vicky victor vincent virginie viviane
vladimir véronique wade walter wanda warren wayne wei wendy wesley wilfred william willie winston xavier yan yann
yannick yasmine ying yolande youssef yuri yusuf yvan yves yvette yvon yvonne zachary zahra zoe zoé ève élisabeth
élise émilie éric étienne
"""
GIVEN_NAMES = frozenset(NAMES.split())
