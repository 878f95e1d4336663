// The three named texts on which speculation is measured: what a model is asked for, written for this benchmark.

const ARTICLE = `The old mill on the river Arden had stood idle for forty years when the town council decided to repair it. The wheel was
rotten, the race was full of silt, and nobody alive had ever seen the stones turn. A carpenter from the next valley offered to rebuild the
wheel in oak, and a group of pupils from the school dug out the race by hand over two summers. The council paid for the oak, and the
carpenter asked for nothing but flour. When the sluice was opened for the first time, the wheel turned a quarter of a circle and stopped,
because the axle had been set a finger's width too low. It took another winter to lift it. In the spring of the fourth year the stones
turned, and the first sack of flour was carried to the carpenter's house by the pupils who had dug the race. Since then the mill has
ground every Saturday, and the council sells the flour to pay for the repair of the roof.`;

export interface NamedText {
  readonly name: 'prose' | 'code' | 'summary';
  readonly prompt: string;
}

export const TEXTS: readonly NamedText[] = [
  { name: 'prose', prompt: 'Write a long story about a miller who lives beside a river and finds an old letter.' },
  {
    name: 'code',
    prompt: 'Write a Python class Account with the methods deposit, withdraw, balance and transfer, and a unit test for each method.',
  },
  { name: 'summary', prompt: `Summarise this text, and repeat its important sentences word by word.\n\n${ARTICLE}` },
];
