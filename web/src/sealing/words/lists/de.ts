/**
 * German: 2,048 words for codes, in the order that gives each its number. Where
 * they come from and what was left out: docs/explanation/word-lists.md. Must never change: a code
 * read today has to mean the same tomorrow.
 */
export const WORDS = `
abbau abbild abbruch abdruck abend abfall abflug abgas abgleich abgrund abitur abkommen abluft
abpfiff abriss absage abseits absicht abstand abteil abwehr adapter addition ader adresse advokat
ähre äquator ärmel ärztin ästhetik äther agave agentur agieren ahle ahnin ahnung akademie akelei
akkord akku akrobat akte akustik akzent alarmruf albatros album algebra allerlei allianz alltag
almhütte almosen alpaka alphabet altbau altglas altstadt alufolie amboss ameise amethyst amphore
ampulle amtsweg amulett anakonda analyse ananas anblick anekdote anemone anfang anfrage angabe
angebot angler anhieb ankunft anlage anomalie anorak anrede anruf ansatz anschein ansehen anspruch
anstalt antenne antilope antlitz antrag antwort anwalt anwesen anwohner anzahl anzug aperitif
apfelmus apotheke apparat appell applaus april aquarell arbeit archiv areal argument arie arkade
armband arnika aroma artikel arznei asche aspekt asphalt atelier atemzug athlet atlas atmung atom
atrium auerhahn aufbau aufguss auflage aufnahme aufruf aufsatz auftrag aufwand aufzug augapfel
auge august aula ausbruch ausdruck ausflug ausgabe auskunft auslauf auspuff ausritt aussicht
auster auswahl autor avocado axt azalee babybett bachbett backform badesee bäuerin bagger bahnhof
balance baldrian balg balkon ballett balsam bambus banane bandage banjo bank bargeld barock barren
barsch bart basis bassist basteln batterie bauer baugrube bauhof bauland baumhaus baustein
bauwagen bauzaun bazar bebauung beben becher becken bedarf beenden beere beet befund begriff
beiboot beifuß beihilfe beirat beispiel beitrag beiwerk beize beleg berater bergbau bericht beruf
bescheid besitz besteck beton betrieb bettzeug beutel bewohner bezirk bezug biathlon biber
bierkrug bilanz bild billard bindung binnen biotop birne bison bistro bitter bläser blasrohr blau
blei blinker blume böller bogen bohren boje bolero bolzen bonbon boot bord borste botanik bottich
bowling boxkampf boxring brandung braten braun brav brechen bremse brett brezel bringen brocken
brötchen brokkoli bronze brosche bruder brücke brunnen bube buch buckel büchse büffel bügel bühne
bündnis bürger bulle bummel bungalow burg busfahrt bussard campen caravan cello chaos chip chirurg
chlor chronik cockpit comic computer cowboy curry cursor dachsbau dahlie damast damm dampf danken
datei dattel datum daumen daune deckel defizit degen dekade delfin delta denkmal depesche depot
dessert detail detektiv deutung devise dezember dezibel diadem diagnose dialog diamant dichter
dickicht dienstag diesel digital dill dinkel diplom direktor dirigent dirndl diskus disput distanz
division docht dogge doktor dokument dolde domino dompfaff donner donut doppel dorffest dorn
dorsch dose dotter dozent drache draht drama drehbuch dreieck drilling dromedar drops drossel
drucker ducken dübel dünger düsenjet duett duft durchzug durst dusche dynamik eber echtheit
eckball edelweiß edition efeu effekt eichel eidechse eigelb eiland eimer einblick eindruck einfall
eingang einhorn einkauf einlage einnahme einrad einsatz eintopf einzug eisbär eisdecke eisen
eishalle eislauf eisvogel eiszeit ekliptik elan elch elefant elektro element elfmeter elite
elixier ellbogen ellipse elster emblem empfang emu ende endivie endpunkt endspiel endung energie
engpass enklave enterich entwurf enzian epilog episode epoche epos erdball erdgas erdkunde erdnuss
erdöl ereignis eremit erfolg ergebnis erholung erker erle erlös ernst erpel ersatz erstling ertrag
eschbaum esel esprit essay essig esstisch estrich etage etappe etikett etüde etui euphorie euro
examen exempel existenz exkurs exot expander experte exponat express extrakt fabrik fach fackel
faden fährmann färberei fagott fahne fahrer faktor falke falsch falter familie fanfare fangen
fanpost fantasie farbe farn fasan fassung fauna faust favorit fazit februar fee feinheit fell
fenchel fenster ferkel fernweh ferse fertig festung feuer fibel fichte fidibus fieber fiedel figur
fiktion filet filiale film finden finger finte firma firnis fisch fixstern flachs flamme flanke
flaum fleck flieder flink flötist florist floß flucht flügel flugzeug flunder flur föhn förster
fohlen fokus folge folklore fondue fontäne fordern forelle formel forst fossil fotograf frachter
frage franse fregatte freitag frequenz fresko freude frieden frisur front frosch frühling fühler
fünfeck fuhrpark fundus funke furche furnier fusion fuß futteral gabel gämse gärtner gaffel
galaxie galeere galopp gamasche gangart gans ganztag garde garnele garten gaspedal gasthof gattung
gaukler gazelle gebälk gebiet gebräu geburt gecko gedanke gedicht geduld gefäß gefieder geflecht
gefüge gegend gehirn gehör geige geist gelatine gelenk gemälde gemüt geologe gepäck gerät geröll
gerste geruch gesang geschenk gesetz gesims gespräch gestalt getöse getränk gewand gewerbe gewölbe
gewürz geysir giebel gießer gilde ginster gipfel gips giraffe girlande gischt glanz glasur glimmer
glitzer globus glossar glühwein glut glyzerin gnom gnu gobelin golf gondel gospel gosse graben
grafik gramm granat grashalm graupel gravur gremium grenze grieß griffel grinsen groll groschen
grotte gründer grund gruß guckloch gürtel güterzug guglhupf gulasch gully gunst gurgel guthaben
haarband habitat hähnchen händler hafer haft hain halbmond halde halfter halm halogen halstuch
haltung hammer hamster handball hangar hantel harke harlekin harmonie harz hase haube haufen
hausboot hautarzt hebamme hebel hecht heftchen heide heimat heiraten heizer hektar helfen hemdchen
hengst henkel herbst herd hering hermelin herold herzchen heuboden heuernte heugabel hibiskus
hickhack hieb hilfe himbeere himmel hinsicht hinweis hirsch hoch höhe hörer hof hoffnung hofladen
hohlraum holunder holz honig honorar hopfen hopser horizont hornisse hotel hubraum hüfte hülse
hündin hüpfer hufeisen humor hund hupe hut hydrant hypnose idiom idol igel ikone iltis imitat
imkerei import impuls inbus index indiz inhalt initiale innung insasse inserat institut intarsie
internat inventar iris ironie irrfahrt irrlicht irrweg isolator isomatte jäger jagdhund jaguar
jahrgang jalousie jargon jasmin jaspis jause jawort jazzband jeans jodler joghurt joker jolle
journal jubel jubilar juckreiz jüngling jugend junker jurist juror jurte jury justiz juwelier
kabarett kabine kachel kadenz käfer känguru käse kaffee kaiman kajak kajüte kakadu kaktus kalender
kaliber kalmar kamera kamin kanal kandis kanister kanne kanzlei kapitel kappe kapsel kapuze
karaffe karneval karriere kassette kasten katalog kaufhaus kauz kavalier kaviar keiler keim keks
kennung keramik kerbe kescher ketchup kette keulen kicker kieme kilo kimono kinofilm kiosk kipferl
kirsche kissen kiste kittel kiwi klang klasse klausur klavier klecks kleid klettern klientel klima
klippe klischee klopfen klotz klub kluft knabe knäuel knauf kneipe knick kniff knirps knochen
knödel knolle knospe knoten kobold kochtopf köder körper koffer kohlrabi koiteich kokos kolben
kolibri kollege kolumne komet komfort komiker kompass kondor konfekt konsum kontakt konus konvoi
konzert kopfball kopie korb kordel kormoran kornfeld korridor kosmos kostüm krabbe kräuter kragen
krake kranz krater kraut krawatte kredit kreide krempe kreuzung kricket kringel kristall kritik
krokus krümel krug krume kruste kuchen kuckuck küchlein küken künstler kürbis kugel kuh kuhstall
kultur kunsteis kuppel kurbel kurier kurort kursbuch kurve kutter kuvert labor lackmus ladung
länge lärm lageplan laich laken lakritz lama lamelle lampe landweg langmut lanolin lappen larve
lasso last latein latte latzhose laubbaum laufrad lavendel lawine legende leguan lehm lehrer
leihgabe leinen leiste leitung lektüre lemming lenkrad leopard lesart leser lesung leuchter
lexikon libelle lichtung liebe lied liefern liga lilie limette limonade lineal linoleum linse
literat lithium litschi lizenz loblied lockruf löffel löschzug löwe logbuch logik logo lohn lokal
lorbeer lotse lotterie luchs lüftung lüster luftpost lumpen lunte lupine lutscher luxus lyra lyrik
mädchen märz mäuschen magazin magie magnet mahagoni mahlzeit mahnen maibaum maikäfer mais majoran
makrele malbuch malve malz mammut mandel manege mangold maniküre manöver marille markt marmor
marzipan maschine maske maßband mastbaum material matjes matrose matsch maulwurf maurer mechanik
medaille medizin meerenge mehl mehrweg meile meinung meister melden melisse melodie memo mensch
mentor merkmal messer metapher methode meute mieder mieten mikado mikrofon milan mimik mimose
mineral minigolf minute mischung mistel mitautor mitglied mittag mixer modell möbel möhre mörser
mohrrübe mokka molch moment monarch mond monitor monokel montag monument moor moped mopp moral
morchel morgen mosaik moskito most motiv motorrad motte mücke mühe müller mündung müsli mütze
muffin mulde muli mundart muräne murmel muschel museum musiker muskel muße mustang mutprobe myrte
mythos nachbar nadelöhr nähgarn nagel nahrung naht name napf narr narwal narzisse nashorn natur
neffe neigung nelke neptun nerven netzhaut neubau neujahr neuland neumond neuwagen nickel niete
nilpferd nische nixe nockerl nordpol notation notfall notiz notnagel notruf nougat novelle nugget
nummer nussbaum nutria nutztier nymphe obelisk oberarm obhut objekt obstbaum ochse öffner ökologie
ölbaum ölfarbe ölkanne ofenbank offset ohrwurm oktave oktett oktober okular olive olympia oma
omelett omnibus onkel onyx oper opossum optik orakel orange orbit orca orchidee ordnung organ
ornament ortsnetz ortung ovation ozean ozelot paar packung paddel pächter pädagoge paket palast
palmöl panda panorama panther papagei papier paprika parabel parfüm parkett parmesan partner
parzelle paspel passat pastell patent patina pavian pedal peitsche pelikan pelz pendel pension
peperoni pergola perlhuhn person pfahl pfau pfeffer pfeil pfennig pferd pfiff pflaster pflegen
pflicht pförtner pfosten pfote pfropfen phantom phosphor physik picknick pigment pille pilzkopf
pinguin pink pinnwand pinsel pinzette pionier pipette pirol pistazie pixel pizza plakat plane
plastik platane plenum plombe plüsch plural podcast podest podium poesie polder polka polster
pomade pommes ponton popmusik porree portal posaune postamt prärie praline pranke preis premiere
presse primel prinzip probe produkt profil programm projekt prolog propan prospekt provinz prozent
prüfung prunk publikum puder puls pultdach pulver puma pumpe punsch pupille purpur puste pyramide
quader qualität quarz quaste quelle querkopf quintett quirl quittung quiz rabauke rad radar radium
radler radsport radweg rätsel rahm rakete ralle rangelei raps rapunzel rasen rassel rasur ratgeber
rathaus rauch raumluft raupe reagenz reaktion realist rebhuhn reblaus rebstock rechteck redezeit
redner reederei referent reflex regatta regent region regler reh rehbock rehkitz reifen reihe
reiskorn reiz reklame rekord relief rendite rennrad rentier reporter reptil reserve residenz
resonanz respekt rest resultat retorte rettich revier rezept rhombus rhythmus riegel riemen ring
rinnsaal risiko rispe ritze roboter rock röntgen roggen rohbau rohkost rohling rohr rohstoff
rokoko roller romanze rosa rosette rosine rosmarin rotbuche rotkohl rotor rotstift rotwein route
rubin rucksack rudel rübe rückweg rührei rüsche rufen rufname ruhe rundweg rutsch saal saatgut
sachbuch säbel sämling sänger säule safari safran saftglas sago saibling saison saite salami
salbei salmiak salpeter salto sammeln samowar samstag sandale sardine satellit satzbau sauber
saugen saum saurier saxofon schaf schema schiff schloss schmalz schnur schote schrank schub schwan
sediment seeadler seeblick seefahrt seegang seehafen seelachs seemann seerose segel seglerin
segment sehtest seife seilbahn sekretär sektion sekunde semester seminar semmel senf senior senken
sepia serenade serum sessel setzling seufzer shampoo siedlung signal silbe simpel sims simulant
sinnbild sirup sittich sitzbank skala skat skepsis skilift skizze skonto skorpion skulptur slalom
smaragd snack sockel soda softeis solist sombrero sommer sonde sonntag sopran sorge spachtel
spätzle spagat spalier spange spargel spatz speck speer speise spektrum sperling sphäre spiegel
spinat spirale spital splitter sport sprache spreu springen spross sprung spülung spule spund spur
stachel stadt ständer staffel stall stamm standort stapel star station staub stein stempel steppe
stichtag stiefel stift stimme stock stöckel stoff stollen stoppel storch strauß strecke strom
struktur studium stütze stuhl stunde stute substanz südpol sülze süßkraut sumpf suppe symbiose
symptome system szene tabelle tablett tacho tacker tänzer tafel tagebuch tagtraum tagung tagwerk
taille taktik talar talent talfahrt talk tandem tango tante tanz tapete tapir tarantel tarnung
tasse tastatur tatsache taucher tausch taverne taxi technik teddybär teelicht teesieb teig
teilchen teleskop teller tempo tendenz tennis tenor teppich termin terrier terzett testbild textil
theater thema theorie thermik these thymian tiefgang tierpark tiger tiramisu tischler toast tölpel
töpfer toffee toleranz tombola tonart tonband tonlage tonne topform torbogen torf tornado torte
torwand tourist tracht trafo training traktor trambahn trapez tratsch traum treffen treibgut
trennung tresen treue triangel tribut trick trikot triller trinken tritt triumph trockner trödel
trog trommel tropen trüffel trugbild trumpf truthahn tuba tüftler tünche tüpfel türkis tulpe
tundra tunika tunnel tupfer turbo turmuhr turnen typ typus übermut übung uferweg uhrglas uhrwerk
ukulele ulme umarmung umbau umbruch umfang umfeld umfrage umgebung umland umriss umsatz umschlag
umstieg umweg umzug ungeduld uniform unikum unkraut unterarm unwetter urenkel urheber urknall
urkunde urlaub ursache ursprung urteil urwald utensil vagabund vakuum variante vater vektor ventil
venus veranda verb verkehr verlag vermerk vernunft verputz verstand vesper viadukt video vielfalt
viertel vignette vinyl visier vitamine vitrine vlies vogel vokabel vollkorn volt volumen vorabend
vorbild vordach vorfahr vorgabe vorhof vorlage vormonat vorplatz vorsicht vorteil vorwort vorzug
vulkan wabe wachtel wäldchen wahrheit waldweg walfisch walkman walnuss walross walze wams wand
wange waschbär wasser watt webseite wechsel weckruf weggabel wegrand weich weinberg weisheit
weizen welpe weltall werbung werft werktag weste wetter wicke widmung wiegen wildnis wimper
windhund winter wippe wirbel wirkung wirsing wischen wisent witz wölfin woge wohl wohnung wolfram
wort wucht würfel wulst wunder wurm wurzel xylofon yak ypsilon zacken zähler zäpfchen zahn zander
zapfen zartheit zaungast zehe zeichen zeiger zeisig zeitlupe zelt zement zentner zeppelin zepter
zettel zeugnis ziege ziehung zielband zierde zikade zimt zinnober zinssatz zirkel zitat zither
zitrone zögling zoll zone zoo zoologe zopf zucchini zucker zünder zufall zug zugabe zugfahrt
zugluft zuhause zukunft zulauf zunft zunge zurufe zusage zuspruch zustand zutritt zuwachs zwanzig
zweck zweifel zwerg zwickel zwiebel zwilling zwingen zwirn zyklus zylinder zypresse
`;
