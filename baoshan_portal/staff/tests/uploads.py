"""The desk from which tests send files, as a browser does: first the preview, then the word."""

import re

from django.core.files.uploadedfile import SimpleUploadedFile

from metrics.tests.factories import make_indicator

#: What people write for yes and no, in every file that asks for one of them.
YES = ("yes", "Y", "TRUE", "1", "１", "是", "√")
NO = ("no", "N", "FALSE", "0", "０", "否", "×")


class UploadDesk:
    """Somebody before a page for uploads; who and which is for those that build on it to say.

    They set ``browser``, ``address`` and ``measure``. ``submits`` is what is chosen where a test
    does not say: "1" to submit the rows, "0" to keep them as drafts.
    """

    file_name = "figures.csv"
    submits = "0"

    def indicator(self, **fields):
        return make_indicator(**{"measure": self.measure} | fields)

    def send(self, content, browser=None):
        content = content.encode() if isinstance(content, str) else content
        file = SimpleUploadedFile(self.file_name, content)
        return (browser or self.browser).post(self.address, {"file": file})

    def confirm(self, page, submit=None, browser=None, follow=True, **more):
        token = page.context["confirm"]["preview"].value()
        sent = {"preview": token, "submit": submit or self.submits, **more}
        if once := re.search(r'name="once" value="(\w+)"', page.content.decode()):
            sent["once"] = once[1]
        return (browser or self.browser).post(self.address, sent, follow=follow)

    def take(self, content, submit=None, browser=None):
        return self.confirm(self.send(content, browser), submit, browser)

    def store(self, content, submit=None, browser=None):
        """The same where nobody looks at the page that says what was taken."""
        self.confirm(self.send(content, browser), submit, browser, follow=False)
