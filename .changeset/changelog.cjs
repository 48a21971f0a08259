// The entries of changelogs: what changed, with its commit, and the packages of this repository that came along in one
// line instead of one for each commit.
const { repository } = require('../package.json');

const page = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');

module.exports = {
  async getReleaseLine({ summary, commit }) {
    const text = summary.trim().replaceAll('\n', '\n  ');
    return commit ? `- ${text} ([${commit.slice(0, 7)}](${page}/commit/${commit}))` : `- ${text}`;
  },

  async getDependencyReleaseLine(_, dependencies) {
    if (dependencies.length === 0) return '';
    const names = dependencies.map(({ name, newVersion }) => `\`${name}\` ${newVersion}`);
    return `- Goes with ${names.join(', ')}.`;
  },
};
