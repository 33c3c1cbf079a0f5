/**
 * English: 2,048 words for codes, in the order that gives each its number. Where
 * they come from and what was left out: docs/explanation/word-lists.md. Must never change: a code
 * read today has to mean the same tomorrow.
 */
export const WORDS = `
abacus abbot ability abyss academy accent accuracy acoustic acrobat acronym act actor actress
additive adhesive adjunct admirer adoption advert adviser aerial aerosol agency agenda aircraft
airfield airplane airport airship alarm album alcohol algae algebra alley alliance allies allusion
almond alphabet altitude aluminum amber ambition ambush anagram analogy analyst ancestry anchor
anecdote animal ankle anorak anteater antelope antenna anthill antibody antidote antler anvil
aorta aperture aplomb apology appendix appetite applause apple approval apricot april apron
aquarium arcade archive arctic area argument armchair armpit arrival artefact artery article
artifice artist artwork aspect asphalt aspirin asset asterisk asthma athlete atlas atom attic
attire attorney auburn auction audience audit august author autonomy autumn avenue aviator avocado
award awning axiom axle baboon baby bachelor backbone backpack bacteria badger bagel baggage
bagpipe bakery balance balcony ball ballad ballroom banana bandage bandit banister banjo banner
banquet barber bargain baritone barley barnacle baseball baseline basement basil basket bathrobe
bathtub baton battery bayou bazaar beach beacon bean beanbag beaver bedroom bedside bee beehive
beetroot belfry bellboy bellhop belt benefit berry beverage bicep bicycle bike billfold binder
biology bird birdbath birdcage birdseed birth bison blackout blanket blazer blemish blender
blinker blizzard blossom bluebell bluejay bluff blur board bobcat bobsled bodice boiler bonfire
bonus bookcase booklet bookmark bookshop bottom boulder boundary bouquet boxer boy bracelet
bracket brain branch brass bravery breadth brewery bridle brocade broccoli brochure bronze brook
brother brow browser brush bucket budget buffalo buffer buggy bugle bulb bulldog bulletin bullfrog
bumper bundle bungalow bungee bunk bunny burger burglary burlap bus business butcher butter buyer
buzzard cabaret cabbage cabin caboose cactus cadence cafe caffeine calcium calculus calendar camel
camera campaign campfire campus candy canoe canopy canteen canvas canyon caper capital capsule
captain caramel caravan carbon card cardigan career cargo carnival carousel carpet cashew cashmere
casino cassette catalog catapult category caterer catfish cauldron cause caveat cavern cedar
ceiling celery cement censor census cent century ceramic cereal chamber champion change channel
chapter charcoal charger chariot checkers cheddar cheek chef chemist chestnut chicken chiffon
child chimney chipmunk chisel chlorine chord chrome chunk cinema cinnamon circle circuit citizen
citrus city clarinet classic clay cleft clerk client cliff climax climb clinic clippers clique
cloak closet clothing cloud clover clown club clump cluster coach coaster cobbler cobra cockatoo
cockpit coconut cocoon color comedian comet comfort comic command commerce commune company
compiler compost computer concert concrete condor consumer contact content control convoy cook
corn corner cornmeal corporal corridor cortex cosmos cottage cotton cougar council couple coupon
courage courier course courtesy cousin coverage cow cowgirl cowhide coyote crab cracker cradle
crater cream creature credit crescent crevice crew cricket critic crochet crocus croquet crossbow
crouton crowd cruiser crunch crust crystal cucumber cufflink culture cup cupboard cupcake cupid
currency curry cursor curve cushion custard custom cutlet cycle cyclist cyclone cylinder cymbal
cypress dad daffodil dahlia daisy dance dart database daybreak daytime deadlock debate decade
decanter december decency decimal decision decree deer defender deficit delicacy delivery delta
delusion denim dentist descent design desk desktop dessert destiny detector detour device devotee
dewdrop diagram dialect dialog diameter diamond diesel digit dignity dimple dinghy dinner dinosaur
diploma director disguise dish disposal distance district diver division doctor document doghouse
dogwood doll dollar dolphin domain donation donut door doorbell doorknob doormat doorstep doorway
dough downpour dozen dragon drawer dreamer dress driveway drizzle dropout drum drummer dryer
duchess duck duckling dugout dumpling dune duplex duration dust dustpan duvet dynasty eagle
earmuff earring earth easel ebony echo eclipse ecology economy edition editor educator egg
eggplant eggshell egret elbow elder electron elegance element elephant elevator elite elixir
emblem emerald emperor emphasis employee emu end energy engine engraver enigma ensemble entrance
entry envelope enzyme epic episode epitome epoch equation ermine errand eruption escapade espresso
essay essence estuary ethics ethos evening event evidence examiner example excess exchange
exercise exhibit expense expert explorer exposure exterior eyeball eyebrow eyesight fabric faculty
fairway falcon fanfare fantasy farmer farmland father faucet favorite february federal feedback
feeder fence ferment fern ferret festival fever fiber fiction fiddle field fiesta fig figure film
finch fire firefly fireman fireside firewood fisher fishnet fitness fjord flag flail flamingo
flannel flare flask flavor fleece flint flipper flock floor florist floss flower fluid focus
foghorn folder foliage folklore fondue footage football footnote footpath footstep forearm
forehead forest fork forklift formula fortress fortune forum fossil founder fountain foxglove
fraction fragment franc freckle freedom fresco freshman friend fringe fritter frolic front fruit
fudge fuel funnel furlong furnace fusion future gable gadget galaxy gallant gallows galosh gander
gap garage garden garland garlic garment garnet garrison gate gateway gazebo gazelle gearbox
general geometry geranium gesture geyser giant ginger gingham giraffe girl glacier glance glasses
glaze glider glimmer glimpse glossary glove glue goblet goggles goldfish gondola goodbye goods
gorilla gosling gossip grace grammar gravel gravity grill groove ground group grower growth guava
guest guide guitar gum habit haddock haircut hairdo halibut hallmark hallway halter hamlet hammer
hammock hamster hand handbag handful handicap handle handrail handsaw hangout harbor hardback
hardhat hardware harmony harp harvest hatbox hatchet hawk hay hayloft haystack hazel headband
header headlamp health hedge height heirloom helium hello helm helmet helper hemlock heritage
hermit hero heroine hexagon hibiscus hideaway highway hillside hilltop hinge hippo history hive
hobby holiday holly holster home homeland homework honesty honeybee hoodie hoof hopper horizon
hormone hornet horse hosepipe hospital host hostess hotdog hound hubcap huddle hue hummus humorist
hunch hunger husband husky hyacinth hybrid hydrant hydrogen hyena hyphen iceberg icebox idea
idealist iguana image immune impasse indent index industry infancy influx ink inkwell inlet input
insect insight instant instinct intake integer interest intrigue inventor iris iron island italic
ivory ivy jackal jacket jackpot jaguar jargon jasmine javelin jaw jaybird jazz jeans jeep jelly
jersey jester jet jewel jigsaw job jogger jogging joke jolt journal joystick jubilee judo juggler
juice jukebox jumble junction jungle junior juniper juror jury kangaroo kayak kebab keepsake kelp
kerchief ketchup kettle key keyhole keypad keyring kickoff kidney kilt kimono king kingdom kiosk
kitchen kiwi knee knitting knitwear knob knuckle kumquat lab label labor lacrosse ladder ladle
ladybug lagoon lamp landlord landmark language lantern laptop larch laser lasso latin lattice
laughter launcher lava lavender lawn lawyer layout leaflet leakage leapfrog leash leather lecture
leek legacy legal legend leisure lemonade lemur lens lentil leopard level lexicon library license
lid lifeboat lifetime lilac lily lime limit linen linguist linoleum lipstick liquid list listener
lizard load lobe lobster location locket locust lodge loft log logbook logic lollipop longhand
loophole lotion lotus lounge loyalty luggage lullaby lunchbox lupin luxury lynx lyric macaroni
magazine magenta magic magnet magpie mahogany maid mailbox mailman mainland majesty maker mallet
mammal mammoth man mandolin manger mansion mantel mantis marathon marble margin marigold mariner
market marksman marmot maroon marquee marrow marsh marzipan mascara mascot mask masonry master
matador material matrix mattress maximum mayor maze meal meatball mechanic medicine megaton melody
melon member membrane memory merchant mercury meringue message metaphor method metric metro
microbe midnight mileage milk mimic mimosa mineral ministry minivan minute mirror mission mitten
mixer mixture mocha mohair moisture molar molasses molecule mollusk mom moment monarch mongoose
monkey monsoon monster month monument moped morning mortar mosaic mosquito moss motel mother
motive motor mouthful movement movie muffin muffler mulberry mule muscle museum mushroom musician
muskrat mussel mutton myrtle mystic myth nacho namesake napkin narwhal nation nature navy necklace
necktie nectar needle neighbor nerve nest network newborn nickel nickname nightcap nimbus nostril
notation notebook notepad nougat novel novice nucleus number nurse nut nuthatch nutmeg nutrient
oar oarsman oasis oatmeal obelisk object observer obstacle ocean octave october octopus office
oilcan ointment okra oleander olive olympic omelet onion onyx opal opener opera operetta opponent
optician opus oracle orange orchard orchid order organ origin oriole ornament osprey ostrich otter
ounce outback outboard outbreak outcome outfield outlay outlook outpost outsider outskirt oven
overall overcoat overhang overpass overtime overview oxygen oyster pacifier padlock pageant pagoda
pamphlet pancake panda panel panic pansy panther papaya paprika papyrus paradox parcel parent
parfait park parlor parsnip partner passage passion passport password pasta pastime pastry pasture
path pathway patio patrol pavement pavilion payphone peace peacock pebble pedal pedestal pelican
pencil pendant pendulum penguin pension pepper perch perfume peroxide petition phantom pheasant
phone photo phrase pianist pickle pickup picnic picture pigeon pigment pilgrim pillow pinnacle
pinwheel pipeline pixel planet plankton planner plaque plasma plastic platform platinum platypus
playback playpen plaza pleasure plumber plural plywood pod point polecat polka pollen poodle
popcorn poppy porpoise portal porter portrait possum postage postcard postmark potato potluck
power practice prairie prank preamble preface prefix prelude premium present pressure prestige
pretext pretzel preview primer primrose prince printer prism process product profit program
project pronoun prop proposal protein protocol proverb proviso prowler prune pudding pulse pump
pumpkin pupil puppet purpose pursuit puzzle pyjamas python quail quality quarry quartz queen
question quick quince quintet quiver quiz quotient rabbit raccoon rack radar radiator radio radish
raft ragdoll railroad railway rainbow raincoat rainfall raisin rancher rapids rattle raven razor
reactor realist receipt recipe recital record recovery redwood reef referee reflex refrain refund
regiment region registry reindeer relation relay relic relief relish remedy report repose reprint
reptile research resident resistor resource response result retailer retina revelry reversal
reviewer revision revival rhino rhubarb rhythm rib ribbon rice rickshaw ridge ringlet ripple rival
roadside robin rocker rodeo romance room rooster rose rosebud rosemary rostrum rotunda roulette
routine rowboat rowing rubber ruby rucksack rudder ruffle rug ruler rumba rundown runner rye
safari saffron sailboat salary salesman saliva salon salsa salt samba sandal sandwich sapling
sapphire sardine sari sash satchel sauce sawdust scaffold scale scallop scarf scarlet scheme
scholar schooner science scissors sconce scooter scorpion scout scrap screen script scroll scuba
sculptor sea seafarer seafood seahorse seaside season seaweed section sedan sediment seesaw
segment seminar senior sense sentence sequel sequin sequoia serenade series serpent service
session settler shaft shampoo shamrock shark shawl sheepdog shelf shelter shepherd sherbet shingle
shipment shipyard shoelace shorts shoulder shovel showcase showdown shower shrew shrimp shrine
shrub shutter sidecar sidewalk sieve signal signpost silicon silver siren sirloin sister skater
skeleton sketch skewer ski skillet skipper skirt skunk skydiver slalom sleeper sleeve sleigh slick
slide slogan slope sloth slug smile smoothie snapper snapshot sneaker snippet snorkel snowball
snowman soccer society sock soda software soil sojourn solitude soloist solution solvent sonata
song soprano sorbet sorrel soup souvenir spade spaniel sparkler spatula specs spectrum speech
spice spider spinach spindle spinner spiral spirit splinter sponge sponsor spoon sport sprinkle
spruce spur squadron squash squid squirrel stadium staff stage stairway stallion stamp stance
standard stapler starfish starling starter station statue steak steel steeple stencil step steward
stocking stone storage storm stranger strategy straw stream street strength string stripe stroke
stroller student studio sturgeon subsidy suburb subway success sugar suitcase sulfur summer sun
sundial sunlight sunrise sunset sunshine supper supply surfer surgery surname surprise surveyor
survival swallow swan sweater swimmer swimsuit swing switch sycamore sympathy symphony symptom
syrup system tabletop tadpole takeoff talent tangent tango tanker tapioca target taste taxi
teaspoon teenager teeth telegram teller tempest tempo tendon tentacle tepee term termite terrier
text textbook textile texture thatch theater theme theorem thermos thesis thicket thigh thimble
thinker thistle thousand thread thrill throat throne thumb tiger timber tinsel tint titanium title
toddler toffee toggle token tombola tomorrow tongs toolbox tooth topaz topic topping torch
tortilla tortoise tourist towel trackpad trader traffic trailer trapeze traveler treasure treetop
trellis triangle tricycle trifle trigger trinket trip triplet tripod triumph trivet troll trombone
trooper trophy troupe trouser truck trumpet truth tub tuber tugboat tulip tumbler tundra tunic
turbine turf turkey turnip turnpike turtle tutor tutu tuxedo tweezers twenties twig twilight twine
typist ukulele umbrella umpire unicorn uniform unison universe upside upstairs usher utensil
vacancy vaccine vacuum valve vanguard veil velvet vendor venture verb verdict version vestige
veteran viaduct victory video viewer village vinegar vineyard vintage vinyl violin virtuoso visa
vision visitor vitamin vocalist vogue voice voltage volume voyage waffle wagon wagtail waist
waitress walkman walkway wallaby walnut walrus waltz wanderer warbler wardrobe warranty warthog
washer wasp watch water wave wax web website wedding weekend whale wharf wheat wheel wick wicket
widget wife wigwam wildcat wildlife windmill window windsock wingspan winter wishbone wisteria
wolf woman wombat wood woodland woodwind worker workload workman workout workshop world worm
wrapper wreath wren wrench wrestler yacht yak yarn yearbook yeast yeti yodel yoga yogurt youth
yoyo zenith zeppelin zigzag zinc zinnia zither zodiac zoo zucchini
`;
