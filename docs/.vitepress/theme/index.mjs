import DefaultTheme from 'vitepress/theme';
import './style.css';

// Every component in components/ can be used in a page by its file's name.
const components = import.meta.glob('./components/*.vue', { eager: true, import: 'default' });

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    for (const [path, component] of Object.entries(components))
      app.component(/([^/]+)\.vue$/.exec(path)[1], component);
  },
};
